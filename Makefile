# SPDX-License-Identifier: Apache-2.0
# The front door. Every target installs what it lacks (tools/install), builds what it needs (tools/build) and is quiet
# when all goes well. CMake and Ninja do the building; see CMakeLists.txt.
.DEFAULT_GOAL := help
.PHONY: help run test build bench soak sim fuzz tidy docs mutate clean ready ready-to-test ready-to-bench
MAKEFLAGS += --no-print-directory

SEEDS   ?= 200
SECONDS ?= 60
export PORT CITY HOUR VEHICLES SPEED FOR REPORT SEED RUNS ONLY FILES SAMPLE

help:
	@echo 'Paddock runs a shared fleet of bikes and scooters. Two commands to begin with:'
	@echo
	@echo '  make run                the demo city, in this terminal; Ctrl-C stops it'
	@echo '       VEHICLES=2000 SPEED=10 FOR=2m PORT=8090   how many, how fast, how long, where'
	@echo '       CITY=montevideo HOUR=17 REPORT=r.json      another town, another time of day, what came of it'
	@echo '  make test               everything that must hold; ends with "N passed, N failed"'
	@echo '       ONLY=unit,tidy     only some steps (tools/test --list names them)'
	@echo
	@echo 'While you work:'
	@echo '  make build              the binary, build/paddock, and the pages, build/apps'
	@echo '  make sim SEEDS=1000     a simulated city under faults, one fresh seed a run; SEED=S begins at S'
	@echo '  make fuzz SECONDS=60    hostile bytes, so long for every harness in fuzz/; ONLY=omni picks one'
	@echo '  make bench              the measurements, and build/bench.json; RUNS=5 repeats'
	@echo '  make soak MINUTES=30    a steady city for so long, and whether anything grows'
	@echo '  make tidy               sizes, layers, purity, banned calls, stale documents'
	@echo '  make docs               writes docs/reference/ again from the tables in the code'
	@echo '  make mutate SAMPLE=100  breaks the code on purpose and asks whether anything notices;'
	@echo '       FILES=src/engine/ride.c   survivors are in build/mutate.txt'
	@echo '  make clean              removes build/'

ready:
	@tools/install

ready-to-test:
	@tools/install test

ready-to-bench:
	@tools/install bench

build: ready
	@tools/build release
	@tools/streets || echo "no streets: the demo's vehicles ride in straight lines, its map is a grid"
	@tools/apps || echo "no pages: the server runs without them; make build tries again"

run: ready
	@tools/build release
	@tools/streets $(CITY) || echo "no streets: vehicles ride in straight lines"
	@tools/demand || true
	@tools/apps || echo "no pages: the demo runs without /control/ and /rider/; make run tries again"
	@tools/run

test: ready-to-test
	@tools/test

bench: ready-to-bench
	@tools/build release
	@tools/bench

soak: ready
	@tools/build release paddock
	@tools/soak

sim: ready
	@tools/build release paddock
	@build/paddock sim --seeds $(SEEDS) $(if $(SEED),--seed $(SEED)) --coverage

fuzz: ready
	@tools/build fuzz
	@tools/fuzz --seconds $(SECONDS)

tidy: ready
	@tools/build release
	@tools/tidy.py

docs: ready
	@tools/build release describe
	@mkdir -p docs/reference
	@build/describe docs/reference clients
	@tools/client_types clients/typescript/schema.d.ts

mutate: ready
	@tools/mutate.py

clean:
	@rm -rf build
