//! Tests code that is too large to be sent with a call: it goes to Lambda through a bucket of the stack's own, which is
//! deleted with the stack.

use std::{fs, path::Path};

use aws_sdk_lambda::types::Environment;

use crate::{
    effort::Effort,
    harness::Folder,
    stack::{EVERYTHING, Trial, actions},
};

const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
functions:
  large: {crate: large, bin: large}
";
const MANIFEST: &str = "\
[package]
name = \"large\"
version = \"0.0.0\"
edition = \"2024\"

[workspace]
";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"large\"\nversion = \"0.0.0\"\n";
const MAIN: &str = "\
static DATA: &[u8] = include_bytes!(\"data\");

fn main() {
    println!(\"{}\", DATA.iter().map(|byte| usize::from(*byte)).sum::<usize>());
}
";
const BUCKET: &str = "circuits-123456789012-eu-west-1-artifacts";

/// Returns a crate whose binary no compression makes smaller than 50 MB.
fn large_crate(seed: u64) -> Folder {
    let folder = Folder::below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("large"));
    folder.write("infra.yaml", DECLARATION);
    folder.write("Cargo.toml", MANIFEST);
    folder.write("Cargo.lock", LOCK);
    folder.write("src/main.rs", MAIN);
    let mut state = seed;
    let noise = std::iter::repeat_with(|| {
        // Xorshift: its output cannot be compressed.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    fs::write(folder.path("src/data"), noise.take(53 * 1024 * 1024 / 8).flatten().collect::<Vec<u8>>()).unwrap();
    folder
}

fn keys(trial: &Trial) -> Vec<String> {
    let listed = trial.account.wait(trial.account.s3.list_objects_v2().bucket(BUCKET).send()).unwrap();
    listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect()
}

#[test]
fn code_that_is_too_large_for_a_call_goes_through_a_bucket() {
    if Effort::asked().leaves_out("packing 53 MB takes a while") {
        return;
    }
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let trial = Trial { folder: large_crate(0x9E37_79B9_7F4A_7C15), ..trial };
    let created = ["create bucket provision.artifacts", "create role large", "create log group large"];
    let told = actions(&trial.diff());
    assert!(created.iter().all(|action| told.contains(&(*action).to_owned())), "{told:?}");
    trial.up();
    let zips = keys(&trial);
    assert_eq!(zips.len(), 1, "{zips:?}");
    trial.is_converged();
    // Another change does not upload the code again, and `diff` without a build still expects the bucket.
    let environment = Environment::builder().variables("BY", "hand").build();
    let call = trial.account.lambda.update_function_configuration().function_name("circuits-large");
    trial.account.wait(call.environment(environment).send()).unwrap();
    let run = trial.expect(2, &["diff", "--no-build"]);
    assert!(!run.stdout().contains("bucket"), "{run}");
    trial.proxy.reset();
    trial.up();
    assert!(!trial.proxy.record().contains("s3.PutObject"), "{}", trial.proxy.record());
    // Its content is nobody's data.
    trial.expect(0, &["down", "--confirm", "circuits"]);
    let buckets = trial.account.wait(trial.account.s3.list_buckets().send()).unwrap().buckets.unwrap_or_default();
    assert_eq!(buckets, [], "{buckets:?}");
}
