//! The configuration of the function `webhook-worker`, read once from its environment at the start.

use contract::context::{Context, Place};
use runtime::{
    Reach,
    environment::{Aws, ConfigurationError, Reader, SecretPlace},
    outside::Host,
};

use crate::{
    source::{SourceSettings, Template},
    transform::OneTransform,
};

/// Variable: the source of outputs, `voxel51` (default) or `url`.
const SOURCE: &str = "SOURCE";
/// Variable: token file of the platform, a secret.
const PLATFORM_TOKEN: &str = "PLATFORM_TOKEN";
/// Variable: days for which the platform keeps an output that expires soon.
const EXTENSION_DAYS: &str = "EXTENSION_DAYS";
/// Variable: address of each output.
const URL_TEMPLATE: &str = "URL_TEMPLATE";
/// Variable: headers of each request, a secret.
const HEADERS: &str = "HEADERS";
/// Variable: hosts that redirects may lead to.
const HOSTS: &str = "HOSTS";
/// Variable: the transform, `none` (default) or `video-quality`.
const TRANSFORM: &str = "TRANSFORM";

/// The days of an extension without a variable.
const DEFAULT_DAYS: u32 = 7;

/// The kinds of sources.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Platform,
    Address,
}

/// The configuration of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Context: the function's name, its secrets and places.
    pub context: Context,
    /// Place of the outputs: the first one that the function may write to.
    pub place: Place,
    /// Source from which outputs are fetched.
    pub source: SourceSettings,
    /// Transform that outputs go through.
    pub transform: OneTransform,
    /// Region and credentials of AWS.
    pub aws: Aws,
    /// Addresses that may be connected to.
    pub reach: Reach,
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. Every fault is reported at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let context = reader.context();
        let place = context.as_ref().and_then(|context| place(&mut reader, context));
        let reach = reader.reach();
        let source = source(&mut reader, context.as_ref(), reach);
        let transform =
            reader.word(TRANSFORM, &[("none", OneTransform::None), ("video-quality", OneTransform::VideoQuality)]);
        let aws = reader.aws();
        let all = context.zip(place).zip(source).zip(transform.zip(aws));
        reader.finish(all.map(|(((context, place), source), (transform, aws))| Self {
            context,
            place,
            source,
            transform,
            aws,
            reach,
        }))
    }
}

fn place(reader: &mut Reader<'_>, context: &Context) -> Option<Place> {
    let place = context.writes.first().cloned();
    if place.is_none() {
        reader.problem(contract::context::VARIABLE, "names no place to write to: the function's `writes` must");
    }
    place
}

/// Reads the variables of the source that is chosen. Those of the other one may be set, too.
fn source(reader: &mut Reader<'_>, context: Option<&Context>, reach: Reach) -> Option<SourceSettings> {
    let kind = reader.word(SOURCE, &[("voxel51", Kind::Platform), ("url", Kind::Address)]);
    let redirects = hosts(reader, reach);
    let extension_days = days(reader);
    let template = reader.optional(URL_TEMPLATE).map(|text| Template::read(&text, reach));
    let headers = secret(reader, HEADERS, context, &['{']);
    let token = secret(reader, PLATFORM_TOKEN, context, &['{', '"']);
    let template = template.and_then(|template| match template {
        Ok(template) => Some(template),
        Err(fault) => {
            reader.problem(URL_TEMPLATE, fault);
            None
        }
    });
    match kind? {
        Kind::Platform => {
            if token.is_none() {
                reader.problem(PLATFORM_TOKEN, "is missing: the function's `secrets` can name it");
            }
            Some(SourceSettings::Platform { token: token?, extension_days: extension_days?, redirects: redirects? })
        }
        Kind::Address => {
            if template.is_none() {
                reader.problem(URL_TEMPLATE, "is missing or wrong");
            }
            Some(SourceSettings::Address { template: template?, headers, redirects: redirects? })
        }
    }
}

/// Reads the place of a secret that may be absent: JSON that begins with one of these letters.
fn secret(
    reader: &mut Reader<'_>,
    name: &'static str,
    context: Option<&Context>,
    begins: &[char],
) -> Option<SecretPlace> {
    let is_declared = context.is_some_and(|context| context.secrets.contains_key(name));
    if reader.optional(name).is_none() && !is_declared {
        return None;
    }
    reader.secret(name, context, |text| text.starts_with(begins), "is not a JSON object")
}

/// Reads hosts, separated by commas.
fn hosts(reader: &mut Reader<'_>, reach: Reach) -> Option<Vec<Host>> {
    let text = reader.optional(HOSTS).unwrap_or_default();
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    match names.map(|name| Host::read(name, reach)).collect() {
        Ok(hosts) => Some(hosts),
        Err(error) => {
            reader.problem(HOSTS, format!("is a list in which {error}"));
            None
        }
    }
}

fn days(reader: &mut Reader<'_>) -> Option<u32> {
    let Some(text) = reader.optional(EXTENSION_DAYS) else { return Some(DEFAULT_DAYS) };
    let is_number = text.trim().bytes().all(|digit| digit.is_ascii_digit());
    let days = text.trim().parse().ok().filter(|days| is_number && (0..=365).contains(days));
    if days.is_none() {
        reader.problem(EXTENSION_DAYS, format!("is `{text}`, supported are 0 to 365"));
    }
    days
}

#[cfg(test)]
mod tests;
