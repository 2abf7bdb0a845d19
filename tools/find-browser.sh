#!/bin/sh
# A Chromium or Chrome for the browser tests: one that is there, or Debian's where this is root. Never fails: the tests say what they leave out.
for name in "${TOCSIN_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(uname)" = Darwin ] && [ -d "/Applications/Google Chrome.app" ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null && exit 0
fi
echo "No Chromium or Chrome found: the browser tests will be left out, and say so."
