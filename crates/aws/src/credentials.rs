//! The credentials of the caller: which profile they come from, and what to do where AWS's own words say too little.

use std::{collections::BTreeSet, env, fmt::Write as _, path::PathBuf};

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use crate::proxy::proxy_variable;
use engine::{Class, Failure};
use problem::{Problem, shell_word};

/// Environment variable with the file of certificates that are trusted besides the system's.
pub(crate) const CA_BUNDLE: &str = "AWS_CA_BUNDLE";
/// Maximum number of profiles that are named.
const MOST_NAMED: usize = 20;

/// The profiles of the AWS configuration, and the place where credentials are looked for.
#[derive(Debug)]
pub(crate) struct Profiles {
    /// `None` if they cannot be read and are not needed.
    set: Option<ProfileSet>,
    /// The chosen profile, `default` if none was.
    chosen: String,
    /// `true` if environment variables hold the credentials: profiles are not asked then.
    in_environment: bool,
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Profiles {
    /// Reads the profiles. Fails if the chosen one does not exist: AWS's own chain would go on, and find somebody else's credentials.
    pub(crate) async fn read() -> Result<Self, Problem> {
        let in_environment = variable("AWS_ACCESS_KEY_ID").is_some();
        let chosen = variable("AWS_PROFILE");
        let loaded = profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None).await;
        let set = match loaded {
            Ok(set) => Some(set),
            Err(_) if in_environment => None,
            Err(error) => {
                let hint = "mend the file, or name another one with `AWS_CONFIG_FILE` or `AWS_SHARED_CREDENTIALS_FILE`";
                return Err(Problem::new("Failed to read the profiles of AWS").with_hint(hint).with_source(error));
            }
        };
        let name = chosen.clone().unwrap_or_else(|| "default".to_owned());
        let profiles = Self { set, chosen: name, in_environment };
        match chosen {
            Some(named) if !in_environment && !profiles.has(&named) => {
                let message = format!("Failed to find the AWS profile `{named}`, which `AWS_PROFILE` names");
                Err(Problem::new(message).with_hint(profiles.those_there_are()))
            }
            _ => Ok(profiles),
        }
    }

    /// Returns the file of certificates that the environment or the profile names.
    pub(crate) fn ca_bundle(&self) -> Option<PathBuf> {
        let of_profile = || self.get(&self.chosen, "ca_bundle").map(str::to_owned);
        let path = variable(CA_BUNDLE).or_else(of_profile)?;
        match (path.strip_prefix("~/"), variable("HOME")) {
            (Some(rest), Some(home)) => Some(PathBuf::from(home).join(rest)),
            _ => Some(path.into()),
        }
    }

    /// Explains why nobody knows who is calling.
    pub(crate) fn explain(&self, failure: Failure) -> Problem {
        let problem = Problem::new("Failed to look up the AWS identity");
        match self.advice(&failure) {
            Some(advice) => problem.with_hint(advice),
            None => problem,
        }
        .with_source(failure)
    }

    fn advice(&self, failure: &Failure) -> Option<String> {
        let words = failure.message.as_str();
        if is_of_network(words) || failure.class == Class::Unreachable {
            return Some(advice_on_network(words));
        }
        match failure.class {
            Class::NoCredentials => Some(self.advice_without_credentials(words)),
            Class::Denied => Some(self.advice_on_refusal(failure.code.as_deref().unwrap_or_default(), words)),
            _ => None,
        }
    }

    /// Returns what to do where no credentials were found, or could not be had: the first advice that fits.
    fn advice_without_credentials(&self, words: &str) -> String {
        self.advice_on_half_a_key()
            .or_else(|| self.advice_on_source())
            .or_else(|| self.advice_on_code())
            .or_else(|| self.advice_on_login(words))
            .or_else(|| self.advice_on_words(words))
            .unwrap_or_else(|| self.advice_on_nothing())
    }

    fn advice_on_half_a_key(&self) -> Option<String> {
        let is_half = self.in_environment && variable("AWS_SECRET_ACCESS_KEY").is_none();
        is_half
            .then(|| "`AWS_ACCESS_KEY_ID` is set and `AWS_SECRET_ACCESS_KEY` is not: set both, or neither".to_owned())
    }

    /// Returns what to do where a profile takes its credentials from one that does not exist.
    fn advice_on_source(&self) -> Option<String> {
        let chain = self.chain();
        let mut sources = chain.iter().filter_map(|(name, source)| Some((name, (*source)?)));
        let (from, missing) = sources.find(|(_, source)| !self.has(source))?;
        Some(format!("profile `{from}` has `source_profile = {missing}`; {}", self.those_there_are()))
    }

    /// Returns what to do where a profile asks for the code of a device.
    fn advice_on_code(&self) -> Option<String> {
        let name = shell_word(self.profile_with("mfa_serial")?);
        Some(format!(
            "profile `{name}` asks for a code (`mfa_serial`), which only the AWS CLI asks for: \
             `eval \"$(aws configure export-credentials --profile {name} --format env)\"`, then the same command again"
        ))
    }

    /// Returns what to do where a profile's credentials come from a login in the browser.
    fn advice_on_login(&self, words: &str) -> Option<String> {
        let login = self.login()?;
        if words.contains("Forbidden") {
            let chosen = &self.chosen;
            return Some(format!("whoever is logged in may not use the account or the role of profile `{chosen}`"));
        }
        Some(login)
    }

    /// Returns what to do by the words of the SDK, which has no codes for these errors.
    fn advice_on_words(&self, words: &str) -> Option<String> {
        if words.contains("not authorized to perform") && words.contains("sts:AssumeRole") {
            return Some(self.advice_on_role(words));
        }
        if let Some(name) = self.profile_with("credential_process") {
            return Some(format!(
                "the `credential_process` of profile `{name}` must print credentials as JSON: run it by hand"
            ));
        }
        if words.contains("not properly configured") {
            return Some(format!("mend profile `{}` in `~/.aws/config` or `~/.aws/credentials`", self.chosen));
        }
        let is_lost = variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && words.contains("os error");
        is_lost.then(|| "the file that `AWS_WEB_IDENTITY_TOKEN_FILE` names cannot be read".to_owned())
    }

    fn advice_on_nothing(&self) -> String {
        const SET_UP: &str = "set up credentials as for every AWS tool: `aws configure`, `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`";
        if self.set.as_ref().is_none_or(ProfileSet::is_empty) {
            return SET_UP.to_owned();
        }
        format!("{SET_UP}; {}", self.those_there_are())
    }

    /// Returns the first profile of the chain that has a key.
    fn profile_with(&self, key: &str) -> Option<&str> {
        self.chain().into_iter().map(|(name, _)| name).find(|name| self.get(name, key).is_some())
    }

    /// Returns what to do where somebody may not assume a role: the one that AWS names, or the first that is configured.
    fn advice_on_role(&self, words: &str) -> String {
        let refused =
            |whose: &str, role: &str| format!("{whose} may not assume `{role}`: look at the trust policy of that role");
        let chain = self.chain();
        let roles = chain.iter().filter_map(|(name, _)| Some((*name, self.get(name, "role_arn")?)));
        let roles: Vec<(&str, &str)> = roles.collect();
        let is_named = |(_, role): &&(&str, &str)| words.contains(*role);
        let Some((name, role)) = roles.iter().find(is_named).or(roles.first()) else {
            let role = variable("AWS_ROLE_ARN").unwrap_or_else(|| "ROLE_ARN".to_owned());
            return refused("the web identity token of `AWS_WEB_IDENTITY_TOKEN_FILE`", &role);
        };
        let whose = match self.get(name, "source_profile") {
            Some(source) => format!("the credentials of profile `{source}`"),
            None if self.get(name, "web_identity_token_file").is_some() => {
                format!("the web identity token of profile `{name}`")
            }
            None => format!("the credentials that profile `{name}` starts from"),
        };
        refused(&whose, role)
    }

    /// Returns what to do where AWS refuses credentials.
    fn advice_on_refusal(&self, code: &str, words: &str) -> String {
        let place = if self.in_environment {
            "the environment (`AWS_ACCESS_KEY_ID`)".to_owned()
        } else {
            format!("profile `{}`", self.chosen)
        };
        match code {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => match self.login() {
                Some(login) if !self.in_environment => login,
                _ => format!("the credentials of {place} have run out: get new ones"),
            },
            "SignatureDoesNotMatch" | "InvalidSignature" if words.contains("expired") || words.contains("not yet") => {
                "the clock of this machine is wrong".to_owned()
            }
            "SignatureDoesNotMatch" | "InvalidSignature" => {
                format!("the secret key of {place} is not that of its access key, or the clock of this machine is wrong")
            }
            "InvalidClientTokenId" | "UnrecognizedClient" | "InvalidAccessKeyId" => format!(
                "AWS does not know the access key of {place}: it was deleted, belongs to another partition, or is a temporary one without its \
                 session token"
            ),
            _ if words.contains("MultiFactorAuthentication") => {
                "AWS asks for a code: `aws sts get-session-token --serial-number ARN --token-code CODE` gives credentials with it".to_owned()
            }
            _ => format!("the credentials of {place} may not do this"),
        }
    }

    /// Returns the command that logs in; `None` if the profile is not one that people log in to.
    fn login(&self) -> Option<String> {
        self.chain().into_iter().find_map(|(name, _)| {
            let has = |key: &str| self.get(name, key).is_some();
            let name = shell_word(name);
            if has("sso_session") || has("sso_start_url") {
                return Some(format!("log in again: `aws sso login --profile {name}`"));
            }
            has("login_session").then(|| format!("log in again: `aws login --profile {name}`"))
        })
    }

    /// Returns the chosen profile and the ones that it takes its credentials from, each with the next.
    fn chain(&self) -> Vec<(&str, Option<&str>)> {
        let mut chain: Vec<(&str, Option<&str>)> = Vec::new();
        let mut next = (!self.in_environment).then_some(self.chosen.as_str());
        while let Some(name) = next.filter(|name| !chain.iter().any(|(known, _)| known == name)) {
            next = self.get(name, "source_profile");
            chain.push((name, next));
        }
        chain
    }

    fn get(&self, name: &str, key: &str) -> Option<&str> {
        self.set.as_ref()?.get_profile(name)?.get(key)
    }

    fn has(&self, name: &str) -> bool {
        self.set.as_ref().is_some_and(|set| set.get_profile(name).is_some())
    }

    /// Returns the names of the profiles, in words.
    fn those_there_are(&self) -> String {
        let names: BTreeSet<&str> = self.set.iter().flat_map(ProfileSet::profiles).collect();
        if names.is_empty() {
            return "neither `~/.aws/config` nor `~/.aws/credentials` has a profile".to_owned();
        }
        let mut words = "the profiles of `~/.aws/config` and `~/.aws/credentials` are".to_owned();
        for (position, name) in names.iter().take(MOST_NAMED).enumerate() {
            let _ = write!(words, "{} `{name}`", if position > 0 { "," } else { "" });
        }
        if names.len() > MOST_NAMED {
            let _ = write!(words, " and {} more", names.len() - MOST_NAMED);
        }
        words.push_str("; a section of the first is `[profile NAME]`, of the second `[NAME]`");
        words
    }
}

/// Returns whether a failure is that of a connection, even if it was met on the way to credentials.
fn is_of_network(words: &str) -> bool {
    ["io error", "dns error", "timeout", "timed out", "client error (Connect)", "certificate", "tunnel"]
        .iter()
        .any(|sign| words.contains(sign))
}

fn advice_on_network(words: &str) -> String {
    if words.contains("certificate") {
        return format!(
            "if a proxy opens TLS here, or the endpoint is your own: put the certificate of its authority into a file, and name that in \
             `{CA_BUNDLE}`"
        );
    }
    // The client was set up with it: it can be read.
    match proxy_variable().ok().flatten() {
        Some(name) if words.contains("authorization required") => {
            format!("the proxy that `{name}` names wants a user and a password: `http://USER:PASSWORD@HOST:PORT`")
        }
        Some(name) => format!("AWS is reached through the proxy that `{name}` names: is it right, and is `NO_PROXY`?"),
        None => "AWS cannot be reached: is the network there, and is `AWS_ENDPOINT_URL` right? A proxy is named in `HTTPS_PROXY`".to_owned(),
    }
}
