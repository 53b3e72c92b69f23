# SPDX-License-Identifier: Apache-2.0
# `make help` lists the targets. Whatever they need is built into .venv on the first call.

.PHONY: help demo test soak models bench check format proto build run-only clean
.DEFAULT_GOAL := help

VENV := $(CURDIR)/.venv
IN_VENV := $(VENV)/bin/python
BOOTSTRAP := $(or $(PYTHON),python3) standalone/bootstrap.py $(if $(PYTHON),--python-chosen)
# Tests of nodes mostly wait; two files at a time take half as long, also on two cores.
WORKERS := -n 2 --dist loadfile
CODE := vizion3d_ros test $(wildcard demo benchmarks docs/examples launch) standalone stubs setup.py .ci/bare

# A sourced ROS distribution must not leak into .venv, whose ROS has its own versions.
ifdef AMENT_PREFIX_PATH
unexport LD_LIBRARY_PATH
endif
unexport PYTHONPATH PYTHONHOME CMAKE_PREFIX_PATH COLCON_PREFIX_PATH ROS_DISTRO ROS_VERSION
unexport ROS_PYTHON_VERSION RMW_IMPLEMENTATION _ROS_WHEELS_BOOTSTRAP_COMPLETE
export AMENT_PREFIX_PATH := $(VENV)
export PATH := $(VENV)/bin:$(PATH)
export ROS_LOG_DIR ?= $(VENV)/log/ros

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16
	@echo 'PYTHON=python3.12 chooses the interpreter that .venv is built with.'

demo: run-only ## depth from a stereo pair; PAIR=folder, MONO=1 for one camera, OBJECTS=1 for objects; VIEW=1; DEMO_ARGS=...
	@$(IN_VENV) demo/$(if $(OBJECTS),objects,$(if $(MONO),mono,run)).py $(if $(PAIR),--pair '$(PAIR)') $(if $(VIEW),--view) $(DEMO_ARGS)

test: build ## the tests; PYTEST_ARGS=...
	@$(IN_VENV) -m pytest $(WORKERS) $(PYTEST_ARGS)

soak: build ## a node under faults for SOAK_MINUTES=10, in the order of SOAK_SEED=1
	@SOAK_MINUTES=$(or $(SOAK_MINUTES),10) \
		$(IN_VENV) -m pytest -q -s -o faulthandler_timeout=0 test/ros/soak $(PYTEST_ARGS)

check: build ## format, lint, types and dead names, as CI does
	@failed=0; \
	ruff format --check --quiet $(CODE) || failed=1; \
	ruff check $(CODE) || failed=1; \
	$(IN_VENV) -m mypy || failed=1; \
	$(IN_VENV) -m vulture $(filter-out test stubs,$(CODE)) || failed=1; \
	exit $$failed

format: build ## rewrite the code in the project's format
	@ruff format $(CODE)
	@ruff check --fix $(CODE)

models: run-only ## fetch models and list them; MODELS=s2m2-L
	@$(IN_VENV) -m vizion3d_ros.fetch_models $(MODELS)

bench: build ## every benchmark, one table each
	@for script in $$(grep -l __main__ benchmarks/*.py); do $(IN_VENV) $$script || exit 1; done

proto: build ## the Python code of vizion3d_ros/proto/lifting.proto
	@$(IN_VENV) -m grpc_tools.protoc -I. --python_out=. --grpc_python_out=. \
		vizion3d_ros/proto/lifting.proto

build: ## .venv, if anything about it changed
	@$(BOOTSTRAP) all

run-only:
	@$(BOOTSTRAP) run

clean: ## remove .venv and all that was built
	rm -rf .venv build install log out .mypy_cache .pytest_cache .ruff_cache
