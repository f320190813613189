//! `authentication`: the proof of the sender of a request, by one of the schemes of webhooks.

use contract::webhook::{Algorithm, Authentication, Encoding, Scheme};

use crate::{
    reader::{Fields, Reader, Wrong},
    scalars,
    shape::{Field, Form, Holds, Shape, Word, words},
};

const CODE_PREFIX: Form = Form { what: "one line of ASCII, at most 64", pattern: "^[ -~]{0,64}$" };

pub(super) static SHAPE: Shape = Shape {
    name: "authentication",
    keys: &[
        Field::new("scheme", Holds::Word(words::<Proof>), "Way in which a request proves its sender.")
            .required("bearer"),
        Field::new(
            "secret",
            Holds::Text(scalars::VARIABLE),
            "Environment variable of the secret: one of the function's `secrets`.",
        )
        .required("WEBHOOK_SECRET"),
        Field::new(
            "header",
            Holds::Text(scalars::HEADER),
            "Header of the code, required by scheme `hmac` and only for it.",
        ),
        Field::new("algorithm", Holds::Word(words::<Algorithm>), "Hash of the code, for scheme `hmac`.").or("sha256"),
        Field::new("encoding", Holds::Word(words::<Encoding>), "Form of the code, for scheme `hmac`.").or("hex"),
        Field::new("prefix", Holds::Text(CODE_PREFIX), "Text before the code, such as `sha256=`, for scheme `hmac`.")
            .or(""),
    ],
};

/// The schemes by their words. That of one's own header has settings.
#[derive(Debug, Clone, Copy)]
enum Proof {
    Known(fn() -> Scheme),
    Hmac,
}

impl Word for Proof {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("standard-webhooks", Self::Known(|| Scheme::StandardWebhooks)),
        ("svix", Self::Known(|| Scheme::Svix)),
        ("github", Self::Known(|| Scheme::Github)),
        ("gitlab", Self::Known(|| Scheme::Gitlab)),
        ("stripe", Self::Known(|| Scheme::Stripe)),
        ("slack", Self::Known(|| Scheme::Slack)),
        ("shopify", Self::Known(|| Scheme::Shopify)),
        ("twilio", Self::Known(|| Scheme::Twilio)),
        ("hmac", Self::Hmac),
        ("bearer", Self::Known(|| Scheme::Bearer)),
        ("path", Self::Known(|| Scheme::Path)),
    ];
}

impl Word for Algorithm {
    const WORDS: &'static [(&'static str, Self)] =
        &[("sha256", Self::Sha256), ("sha512", Self::Sha512), ("sha1", Self::Sha1)];
}

impl Word for Encoding {
    const WORDS: &'static [(&'static str, Self)] = &[("hex", Self::Hex), ("base64", Self::Base64)];
}

/// Reads the proof of the sender. What belongs to scheme `hmac` is refused elsewhere.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Authentication> {
    let fields = &reader.mapping(fields, "authentication")?;
    let proof = reader.word::<Proof>(fields, "scheme");
    let secret = reader.text(fields, "secret", scalars::variable);
    let header = reader.text(fields, "header", scalars::header);
    let (algorithm, encoding) = (reader.word(fields, "algorithm"), reader.word(fields, "encoding"));
    let prefix = reader.text(fields, "prefix", code_prefix);
    let scheme = match proof? {
        Proof::Hmac if fields.get("header").is_none() => {
            let message = "scheme `hmac` lacks `header`: the header that has the code";
            reader.diagnose(&fields.span, message, "add `header: X-Signature`");
            return None;
        }
        Proof::Hmac => Scheme::Hmac { header: header?, algorithm: algorithm?, encoding: encoding?, prefix: prefix? },
        Proof::Known(scheme) => {
            for name in ["header", "algorithm", "encoding", "prefix"] {
                let Some((key, _)) = fields.entry(name) else { continue };
                let message = format!("`{name}` is of scheme `hmac`: every other one is defined by its vendor");
                reader.diagnose(&key.span, message, "remove it, or write `scheme: hmac`");
            }
            scheme()
        }
    };
    Some(Authentication { scheme, secret: secret? })
}

fn code_prefix(text: &str) -> Result<String, Wrong> {
    let sound = text.len() <= 64 && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}
