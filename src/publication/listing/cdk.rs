//! A TypeScript module for AWS CDK: constants, and a function that gives a layer in the region of a stack.

use std::fmt;

use super::Listing;

pub(super) struct Module<'a>(pub &'a Listing);

const HEAD: &str = r#"// Written by `r-layer list --format cdk`. A function takes its layers so, the runtime's first:
//   layers: [
"#;

const IMPORTS: &str = r#"//   ]
import { Aws, CfnMapping, Stack, Token, aws_lambda as lambda } from "aws-cdk-lib";
import { Construct } from "constructs";

/** Layer, then region, to ARN. */
export const R_LAYERS = {
"#;

const FUNCTION: &str = r#"} as const;

export type RLayer = keyof typeof R_LAYERS;

/** A layer in the region of the stack; the stack need not know its region yet. */
export function rLayer(scope: Construct, layer: RLayer): lambda.ILayerVersion {
  const there = scope.node.tryFindChild(layer);
  if (there !== undefined) {
    return there as lambda.LayerVersion;
  }
  const arns: Record<string, string> = R_LAYERS[layer];
  return lambda.LayerVersion.fromLayerVersionArn(scope, layer, arnIn(scope, layer, arns));
}

function arnIn(scope: Construct, layer: RLayer, arns: Record<string, string>): string {
  const region = Stack.of(scope).region;
  if (Token.isUnresolved(region)) {
    const mapping: Record<string, Record<string, string>> = {};
    for (const [name, arn] of Object.entries(arns)) {
      mapping[name] = { arn };
    }
    return new CfnMapping(scope, `${layer}-arns`, { mapping }).findInMap(Aws.REGION, "arn");
  }
  const arn = arns[region];
  if (arn === undefined) {
    throw new Error(`${layer} is not published in ${region}; it is in ${Object.keys(arns).join(", ")}`);
  }
  return arn;
}
"#;

impl fmt::Display for Module<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for layer in self.0.example() {
            writeln!(f, "//     rLayer(this, \"{}\"),", layer.label)?;
        }
        f.write_str(IMPORTS)?;
        for layer in &self.0.layers {
            writeln!(f, "  \"{}\": {{", layer.label)?;
            for publication in &layer.publications {
                let (region, arn) = (&publication.region, &publication.arn);
                writeln!(f, "    \"{region}\": \"{arn}\",")?;
            }
            writeln!(f, "  }},")?;
        }
        f.write_str(FUNCTION)
    }
}
