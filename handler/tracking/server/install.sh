#!/usr/bin/env bash
# Puts the worker `tracking` onto a server of Amazon Linux 2023, as the last part of its user data: takes the zip from the bucket of
# artefacts with the instance's role, and starts the unit beside this file only if the zip's bytes have the hash that is given here. The hash
# comes with the user data, from the launch template, and never from the bucket: whoever can write to the bucket cannot choose what runs.
#
# No secret is among the variables: the worker reads the secrets that its context names, with the instance's role.
set -euo pipefail

: "${ARTIFACT_BUCKET:?names no bucket}"            # bucket of artefacts
: "${ARTIFACT_KEY:?names no zip}"                  # key of the zip in it
: "${ARTIFACT_OWNER:?names no account}"            # account that owns the bucket, 12 digits
: "${ARTIFACT_SHA256:?has no hash}"                # SHA-256 of the zip, 64 lower-case hexadecimal digits
: "${AWS_REGION:?names no region}"
: "${QUEUE_URL:?names no queue}"
: "${PROVISION_CONTEXT:?is missing}"               # context of the function, as JSON
ROOT=${ROOT:-}                                     # another root than /, for tests
ATTEMPTS=5

[[ $ARTIFACT_SHA256 =~ ^[0-9a-f]{64}$ ]] || { echo "ARTIFACT_SHA256 is not 64 hexadecimal digits" >&2; exit 1; }

home=$ROOT/opt/provision/tracking
build=$home/$ARTIFACT_SHA256
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The role of a new instance takes some seconds to arrive.
download() {
  local attempt
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    aws s3api get-object --region "$AWS_REGION" --bucket "$ARTIFACT_BUCKET" --key "$ARTIFACT_KEY" \
      --expected-bucket-owner "$ARTIFACT_OWNER" "$work/worker.zip" >/dev/null && return
    ((attempt == ATTEMPTS)) || sleep "${PAUSE:-$((attempt * 3))}"
  done
  echo "the worker could not be fetched from $ARTIFACT_BUCKET after $ATTEMPTS attempts" >&2
  return 1
}

if [ ! -x "$build/bootstrap" ]; then
  download
  if ! printf '%s  %s\n' "$ARTIFACT_SHA256" "$work/worker.zip" | sha256sum --check --status; then
    echo "the worker in $ARTIFACT_BUCKET has another hash than the launch template says: it is not installed" >&2
    exit 1
  fi
  # Amazon Linux has Python for its own tools, and no unzip.
  python3 -m zipfile -e "$work/worker.zip" "$work/unpacked"
  install -D -m 0755 "$work/unpacked/bootstrap" "$build.new/bootstrap"
  mv -T "$build.new" "$build"
fi

# systemd reads the file, and the worker does not: it runs as nobody.
install -d -m 0755 "$ROOT/etc/provision"
(umask 077 && printf '%s=%s\n' AWS_REGION "$AWS_REGION" QUEUE_URL "$QUEUE_URL" >"$work/tracking.env")
# In double quotes systemd reads these four characters as a shell does, and takes every other one as it is.
printf 'PROVISION_CONTEXT="%s"\n' "$(printf '%s' "$PROVISION_CONTEXT" | sed 's/[\\"`$]/\\&/g')" >>"$work/tracking.env"
install -m 0600 "$work/tracking.env" "$ROOT/etc/provision/tracking.env"

ln -sfn "$ARTIFACT_SHA256" "$home/current.new"
mv -T "$home/current.new" "$home/current"
install -D -m 0644 "$(dirname "$0")/provision-tracking.service" "$ROOT/etc/systemd/system/provision-tracking.service"
systemctl daemon-reload
systemctl enable provision-tracking.service
systemctl restart provision-tracking.service
