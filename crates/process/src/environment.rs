//! The environment of the tools that we start: what Cargo, compilers and Git need, and nothing else.
//!
//! Build scripts and procedural macros are other people's code. They have no business with AWS's keys, tokens or the values of declared
//! secrets, so that a variable passes only if it is known to be needed.

use std::ffi::{OsStr, OsString};

use tokio::process::Command;

/// Variables that pass, whole names.
const NAMES: &[&str] = &[
    // The machine and its user.
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TMP",
    "TEMP",
    "TZ",
    "LANG",
    "LANGUAGE",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    // The network.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    // Rust.
    "CARGO",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_BOOTSTRAP",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "RUST_MIN_STACK",
    // C compilers, which crates such as `ring` need, and what finds libraries.
    "CC",
    "CXX",
    "AR",
    "LD",
    "NM",
    "RANLIB",
    "STRIP",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "ARFLAGS",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "LD_LIBRARY_PATH",
    "LIBCLANG_PATH",
    "PROTOC",
    "SDKROOT",
    "DEVELOPER_DIR",
    "MACOSX_DEPLOYMENT_TARGET",
    "SOURCE_DATE_EPOCH",
    "MAKEFLAGS",
    "NUM_JOBS",
    "CRATE_CC_NO_DEFAULTS",
];

/// Beginnings of variables that pass.
const PREFIXES: &[&str] = &[
    "LC_",
    "CARGO_",
    "RUSTUP_",
    "CC_",
    "CXX_",
    "AR_",
    "CFLAGS_",
    "CXXFLAGS_",
    "LDFLAGS_",
    "TARGET_",
    "HOST_",
    "PKG_CONFIG",
    "CMAKE",
    "BINDGEN_",
    "DYLD_",
    "NIX_",
    "SCCACHE_DIR",
    "CCACHE_",
];

/// Beginnings of what Cargo sets for the package that it builds or runs. Build scripts would take it for a change of theirs.
const OF_A_PACKAGE: &[&str] =
    &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_NAME", "CARGO_BIN_", "CARGO_PRIMARY_PACKAGE"];

/// Words in the names of secrets. Cargo itself finds tokens of registries in its file of credentials.
const OF_SECRETS: &[&str] = &["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];

/// Returns a command with this environment. Add to it what this command alone needs.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let output = process::tool("env").output().await.unwrap();
/// let variables = String::from_utf8_lossy(&output.stdout).into_owned();
/// assert!(variables.contains("PATH=") && !variables.contains("AWS_SECRET_ACCESS_KEY="));
/// # });
/// ```
pub fn tool(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(needed(std::env::vars_os()));
    command
}

/// Returns the variables that tools need.
fn needed(all: impl Iterator<Item = (OsString, OsString)>) -> impl Iterator<Item = (OsString, OsString)> {
    all.filter(|(name, _)| name.to_str().is_some_and(is_needed))
}

fn is_needed(name: &str) -> bool {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    let is_secret = OF_SECRETS.iter().any(|word| name.to_ascii_uppercase().contains(word));
    (NAMES.contains(&name) || begins(PREFIXES)) && !begins(OF_A_PACKAGE) && !is_secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_get_the_variables_that_they_need_and_no_others() {
        for name in [
            "PATH",
            "HOME",
            "LC_ALL",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "https_proxy",
            "CC_x86_64-unknown-linux-gnu",
            "PKG_CONFIG_PATH",
            "TMPDIR",
        ] {
            assert!(is_needed(name), "{name}");
        }
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_PROFILE",
            "NETBOX_TOKEN",
            "NETBOX_URL",
            "WEBHOOK_SECRET",
            "GREETING",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_OWN_TOKEN",
            "CARGO_REGISTRIES_OWN_SECRET_KEY",
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "GITHUB_TOKEN",
            "DATABASE_URL",
            "path",
            "PATHS",
            "",
        ] {
            assert!(!is_needed(name), "{name}");
        }
    }
}
