#!/usr/bin/env bash
# Installs npm's aws-lambda-ric, AWS's runtime interface client for Node.js,
# below .tools, for its test. It compiles curl and a client in C++, so it isn't
# part of setup. Needs cmake, a C++ compiler, autoconf, automake, libtool and
# Node.js with its headers.
set -euo pipefail
cd "$(dirname "$0")/.."
version=3.3.0 # the last for Node.js 20
out=$PWD/.tools/ric-node
for tool in cmake c++ autoconf automake libtoolize node npm; do
	command -v "$tool" >/dev/null || { echo "ric: $tool is missing" >&2 && exit 1; }
done
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ -e "$prefix/include/node/node_version.h" ] || { echo "ric: $prefix has no headers of Node.js" >&2 && exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo '{}' >"$scratch/package.json"
npm_config_nodedir=$prefix npm install --silent --prefix "$scratch" "aws-lambda-ric@$version"
# What it was compiled from takes 150 MB and isn't needed any more.
rm -rf "$out"
mkdir -p "$out/node_modules/aws-lambda-ric"
cp -r "$scratch"/node_modules/aws-lambda-ric/{bin,dist,package.json} "$out/node_modules/aws-lambda-ric/"
