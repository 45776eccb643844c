#!/usr/bin/env bash
# What is done without r-layer: the AWS command line's own calls, region by region and layer by layer.
#   loop.sh 'REGION REGION …' ZIP…        with AWS_COMMAND, the AWS command line
set -euo pipefail
for region in $1; do
    for zip in "${@:2}"; do
        layer=$(basename "$zip" .zip)
        version=$(python3 "$AWS_COMMAND" lambda publish-layer-version --region "$region" --layer-name "${layer//./_}" \
            --zip-file "fileb://$zip" --compatible-runtimes provided.al2023 --query Version --output text)
        python3 "$AWS_COMMAND" lambda add-layer-version-permission --region "$region" --layer-name "${layer//./_}" \
            --version-number "$version" --statement-id public --action lambda:GetLayerVersion --principal '*' >/dev/null
    done
done
