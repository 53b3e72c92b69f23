# SPDX-License-Identifier: Apache-2.0
"""The messages of the gRPC server, and the code that protoc makes of them: `make proto`."""
