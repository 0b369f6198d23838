#!/bin/sh
# Brings what the tests drive for real and pip cannot: Chromium (and what Playwright's own node needs), Chinese
# fonts, PostgreSQL; with the word libreoffice (for the long tests) also LibreOffice Calc.
# As root on Debian it installs what is missing; otherwise it names it and fails, so that no test is skipped unseen.
set -eu

has_chromium() { command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome; }
has_libatomic() { /sbin/ldconfig -p | grep -F libatomic.so.1; }
has_chinese_fonts() { fc-list :lang=zh-cn family | grep .; }
has_postgresql() { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; }

missing=""
has_chromium >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
has_libatomic >/dev/null 2>&1 || missing="$missing libatomic1"
has_chinese_fonts >/dev/null 2>&1 || missing="$missing fontconfig fonts-noto-cjk"
has_postgresql >/dev/null 2>&1 || missing="$missing postgresql"
[ "${1-}" != libreoffice ] || command -v soffice >/dev/null 2>&1 || missing="$missing libreoffice-calc-nogui"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these Debian packages, or the like:$missing" >&2
  echo "Install them as root (apt-get install --no-install-recommends$missing), then run this again." >&2
  exit 1
fi

echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Debian creates and starts a cluster on installation; the tests start their own server, so none is wanted.
cluster=/etc/postgresql-common/createcluster.d/yuliang-tests.conf
mkdir -p "${cluster%/*}"
echo "create_main_cluster = off" >"$cluster"
trap 'rm -f "$cluster"' EXIT
apt-get update -qq
# shellcheck disable=SC2086 # a list of package names
apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
