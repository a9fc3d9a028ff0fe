# The doors of the project. How each tool works is in pyproject.toml, how the set-up works in config/setup.sh.

BIN := .venv/bin
STUBS := musefs/control/v1/musefs

.PHONY: help setup check test test-long container-test demo bench bench-wan bench-million proto clean

help:
	@echo 'make setup           install what is missing, make .venv with musefs in it'
	@echo 'make test            set-up, then every check and test (what CI runs)'
	@echo 'make check           the same without the set-up'
	@echo 'make demo [KEEP=1]   a folder, an SFTP server and an S3 server as one tree in demo/mnt'
	@echo 'make test-long       set-up, then the tests that take minutes'
	@echo 'make container-test  build the image and mount a library with it (root, podman)'
	@echo 'make bench           musefs, its limit, the plain folder, rclone and sshfs here, as a table (root; minutes)'
	@echo 'make bench-wan       musefs, rclone and sshfs over a link of 50 ms, as a table (root; minutes)'
	@echo 'make bench-million   mount, walk and change libraries of up to a million tracks (15 minutes)'
	@echo 'make proto           the control interface from its .proto'
	@echo 'make clean           remove what was made here, except .venv'

setup:
	@PYTHON='$(PYTHON)' config/setup.sh

QUICK := 'not long and not swift and not container and not vendor'
# Tests without servers, mounts and time limits: two run at once.
UNMOUNTED := $(addprefix tests/,catalog config content control federation fakes indexing kit layout library)

check: | $(BIN)/musefs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m $(QUICK) $(UNMOUNTED) -n 2 --dist worksteal --cov --cov-report= --cov-fail-under=0
	$(BIN)/pytest -m $(QUICK) $(addprefix --ignore=,$(UNMOUNTED) tests/matrix) --cov --cov-append --cov-report=term-missing:skip-covered
	$(BIN)/pytest -m $(QUICK) tests/matrix # not measured: what it covers is covered by then

test: setup
	@$(MAKE) --no-print-directory check

test-long: setup
	$(BIN)/pytest -m 'long or swift or vendor'

container-test:
	tests/container/run.sh

demo: setup
	@KEEP='$(KEEP)' $(BIN)/python -m tests.demo

bench: setup
	@$(BIN)/python -m benchmarks.local $(if $(ONLY),--only $(ONLY))

bench-wan: setup
	@$(BIN)/python -m benchmarks.wan

bench-million: setup
	@$(BIN)/python -m benchmarks.million

# The path below -I becomes the module's name in the generated imports: musefs.control.v1.musefs_pb2.
proto: | $(BIN)/musefs
	$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. --grpc_python_out=. $(STUBS).proto

clean:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tests.demo end; fi
	rm -rf demo build dist *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/musefs:
	@echo 'make: there is no $@ yet: run make setup' >&2; false
