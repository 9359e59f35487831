#!/bin/bash
# lint.sh [deb] [rpm]: what the distributions' own judges say of build/packages/; a word of theirs is a failure.
set -eu -o pipefail
cd "$(dirname "$0")/../build/packages"
[ $# -gt 0 ] || set -- deb rpm
for kind in "$@"; do
  case "$kind" in
    deb) lintian --pedantic --fail-on error,warning,info,pedantic --tag-display-limit 0 -- *.changes ;;
    rpm) rpmlint --strict --config ../../packaging/rpmlint.toml -- *.rpm ;;
    *) echo "usage: $0 [deb] [rpm]" >&2; exit 2 ;;
  esac
done
