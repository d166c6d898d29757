#!/bin/sh
# Builds bootstrap.jar (or the file named) from src. With the same major version
# of javac the result is the same, byte for byte.
set -eu
cd "$(dirname "$0")"
out=${1:-bootstrap.jar}
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
# Inline concatenation: the JVM's default one costs 15 ms when it is first used.
find src -name '*.java' | LC_ALL=C sort | xargs "${JAVAC:-javac}" --release 17 -g:none -XDstringConcat=inline -Xlint:all,-options -Werror -d "$classes"
# The rehearsal's handlers are compiled as functions are, and not to be found by them.
find rehearsal -name '*.java' | LC_ALL=C sort | xargs "${JAVAC:-javac}" --release 17 -g:none -Xlint:all,-options -Werror -cp "$classes" -d "$classes/rehearsal"
(cd "$classes" && find . -name '*.class' | LC_ALL=C sort | sed 's|^\./||') >"$classes/list"
(cd "$classes" && "${JAR:-jar}" --create --file new.jar --date 2020-01-01T00:00:00Z --main-class dev.butai.lambda.Main --manifest "$OLDPWD/manifest.txt" @list)
mv "$classes/new.jar" "$out"
