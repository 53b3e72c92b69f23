# SPDX-License-Identifier: Apache-2.0
"""
The REST door, with the routes, fields and answers of vizion3d.

    door ─ app ─┬─ forms: what came ─ command
                ├─ waiting: answer, deadline, or the client is gone
                ├─ answers: arrays ─ JSON
                ├─ browser: the page for people, its files in page/
                └─ errors, metrics; limits below it all
"""
