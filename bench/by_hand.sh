#!/usr/bin/env bash
# The commands and checks of the story by hand, one after the other: the same work as the gate's, without its checks.
# bench/__main__.py measures the gate against it.
# Expects: AWS_* and AWS_ENDPOINT_URL of a local target, REGISTRY (host:port), AWS_CLI (the aws program), SYFT; of the
# release REPOSITORY, ZIP_FUNCTION, RELEASE_TAG, ROLLING_TAG and CONTEXT (the folder of its Dockerfile); IMAGE and
# STAND_IN, the names under which the image and its base are built.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch="$(mktemp -d)"
container=""
leave() {
    if [ -n "$container" ]; then docker rm --force "$container" > /dev/null; fi
    docker image rm --force "$REGISTRY/$REPOSITORY:candidate" > /dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap leave EXIT
ask() { "$AWS_CLI" --output json "$@"; }
lambda=(--read-only --tmpfs "/tmp:size=512m,exec,mode=1777" --user 993:990 --cap-drop ALL --security-opt no-new-privileges
    --ipc none --memory 512m --memory-swap 512m --cpus 0.2894 --network none --env HOME=/tmp)

# Build (AC1), with the same arguments as the gate's build so that both use one layer cache.
docker build --quiet --force-rm --tag "$STAND_IN" "$@" localaws/lambda-base > /dev/null
docker build --quiet --force-rm --tag "$IMAGE" "$@" --build-arg BASE_IMAGE="$STAND_IN" "$CONTEXT" > /dev/null

# Inspect it (AC1, AC6).
docker image inspect "$IMAGE" > "$scratch/image.json"
docker history --no-trunc "$IMAGE" > "$scratch/history"
container="$(docker create --network none --entrypoint sleep "$IMAGE" 600)"
docker export "$container" | tar --list --verbose > "$scratch/files"
docker start "$container" > /dev/null
inside() { docker exec "$container" sh -c "$1"; }
# The variables are for the container's shell to fill in.
# shellcheck disable=SC2016
for check in 'readlink -f $CHROME_BIN' 'readlink -f $CHROMEDRIVER_BIN' 'ldd $CHROME_BIN' 'ldd $CHROMEDRIVER_BIN' \
    '$CHROME_BIN --version' '$CHROMEDRIVER_BIN --version' 'python3 --version' 'python3 -m pip list' \
    'python3 -m pip check' 'python3 -c "import selenium, urllib3, websocket, trio"' \
    'cd /var/task && python3 -c "import src.main"' 'dpkg -s chromium chromium-driver'; do
    inside "$check" >> "$scratch/checks" 2>&1
done

# Run it as Lambda does: five events to the handler, and a page with Korean text for the picture.
docker run --rm "${lambda[@]}" --workdir /var/task --entrypoint python3 "$IMAGE" -c '
import types
from src.main import lambda_handler
context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
for _ in range(5):
    assert lambda_handler({"action": "healthcheck"}, context)["ok"]
'
docker run --rm "${lambda[@]}" --entrypoint python3 "$IMAGE" -c '
import os
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
options = ChromeOptions()
options.binary_location = os.environ["CHROME_BIN"]
for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--single-process", "--no-zygote",
             "--disable-gpu", "--disable-software-rasterizer"):
    options.add_argument(flag)
driver = Chrome(options=options, service=Service(os.environ["CHROMEDRIVER_BIN"]))
driver.get("data:text/html;charset=utf-8,<meta charset=utf-8><title>by hand</title><h1>한글</h1>")
assert driver.title == "by hand" and driver.get_screenshot_as_png()
driver.quit()
'

# What it consists of (AC7, AC9).
"$SYFT" scan --quiet "docker:$IMAGE" --output "cyclonedx-json=$scratch/sbom.json"

# Who may do what, and the zip function (AC4, AC5).
ask iam get-account-authorization-details > "$scratch/iam.json"
ask ecr get-repository-policy --repository-name "$REPOSITORY" > "$scratch/policy.json"
ask ecr get-lifecycle-policy --repository-name "$REPOSITORY" > "$scratch/lifecycle.json"
ask lambda get-function --function-name "$ZIP_FUNCTION" > "$scratch/zip.json"
ask lambda list-versions-by-function --function-name "$ZIP_FUNCTION" > "$scratch/versions.json"
arn="$(ask lambda get-function --function-name "$ZIP_FUNCTION" --query Configuration.FunctionArn --output text)"
ask events list-rule-names-by-target --target-arn "$arn" > "$scratch/rules.json"

# Publish (AC2): push as candidate, scan by digest, then the two tags.
export DOCKER_CONFIG="$scratch/docker"
ask ecr get-login-password --output text | docker login --username AWS --password-stdin "$REGISTRY" > /dev/null 2>&1
docker tag "$IMAGE" "$REGISTRY/$REPOSITORY:candidate"
docker push --quiet "$REGISTRY/$REPOSITORY:candidate" > /dev/null
ask ecr start-image-scan --repository-name "$REPOSITORY" --image-id imageTag=candidate > /dev/null
until ask ecr describe-image-scan-findings --repository-name "$REPOSITORY" --image-id imageTag=candidate \
    --query imageScanStatus.status --output text | grep -q COMPLETE; do sleep 1; done
ask ecr describe-image-scan-findings --repository-name "$REPOSITORY" --image-id imageTag=candidate > "$scratch/scan.json"
manifest="$(ask ecr batch-get-image --repository-name "$REPOSITORY" --image-ids imageTag=candidate \
    --query 'images[0].imageManifest' --output text)"
for tag in "$RELEASE_TAG" "$ROLLING_TAG"; do
    ask ecr put-image --repository-name "$REPOSITORY" --image-tag "$tag" --image-manifest "$manifest" > /dev/null
done
ask ecr describe-images --repository-name "$REPOSITORY" > "$scratch/images.json"
ask lambda get-function --function-name "$ZIP_FUNCTION" > "$scratch/zip-after.json"
