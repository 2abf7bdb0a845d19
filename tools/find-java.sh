#!/bin/sh
# A Java runtime for the Spark tests: one that is there, or Debian's where this is root. Never fails: the tests say what they leave out.
if [ -n "${JAVA_HOME:-}" ] || command -v java >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing a Java runtime for the Spark tests ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null && exit 0
fi
echo "No Java runtime found: the Spark tests will be left out, and say so."
