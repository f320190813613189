//! The configuration of the function `kafka-access`, read once from its environment at the start.

use contract::context::{self, Context, Produced};
use kafka::{Keys, Security, is_local};
use runtime::environment::{Aws, ConfigurationError, Reader};

/// Variable: certificates of the authorities of the brokers, as PEM.
const KAFKA_CA: &str = "KAFKA_CA";

/// The configuration of the function.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Context: the function's name, and the topics that it makes and reads.
    pub context: Context,
    /// Certificates of the authorities that alone are trusted, as PEM; `None` for the public ones.
    pub ca: Option<String>,
    /// Region and credentials of AWS.
    pub aws: Aws,
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. Everything that is wrong is reported at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let context = reader.context();
        if let Some(context) = &context {
            check(&mut reader, context);
        }
        let ca = reader.certificates(KAFKA_CA);
        let all = context.zip(reader.aws()).map(|(context, aws)| Self { context, ca, aws });
        reader.finish(all)
    }

    /// Returns how these brokers are reached: by TLS and with a proof of the role, except on this machine, where none is asked for unless
    /// certificates are given.
    pub fn security(&self, bootstrap: &str) -> Security {
        if self.ca.is_none() && is_local(bootstrap) {
            return Security::None;
        }
        let Aws {
            region,
            credentials: runtime::environment::Keys { access_key_id, secret_access_key, session_token },
            ..
        } = &self.aws;
        let keys = Keys {
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.clone(),
            session_token: session_token.clone(),
            region: region.clone(),
        };
        Security::Iam { keys, ca: self.ca.clone() }
    }
}

/// Checks the topics of the context.
fn check(reader: &mut Reader<'_>, context: &Context) {
    if context.creates.is_empty() && context.follows.is_empty() {
        let fault = "names no topic of Kafka: the function's `creates` or `follows` must name one";
        reader.problem(context::VARIABLE, fault);
    }
    let is_broker = |broker: &str| {
        let (host, port) = broker.trim().rsplit_once(':').unwrap_or_default();
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    let created = context.creates.iter().map(|(key, created)| (key, &created.place));
    let mut topics = created.chain(&context.follows);
    let is_sound = |one: &Produced| !one.topic.is_empty() && one.bootstrap.split(',').all(is_broker);
    if let Some((key, _)) = topics.find(|(_, one)| !is_sound(one)) {
        let fault =
            format!("has the topic `{key}`, which lacks its name, or brokers as `HOST:PORT` with commas between");
        reader.problem(context::VARIABLE, fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(context: &str, ca: Option<&str>) -> Result<Configuration, String> {
        let variable = |name: &str| match name {
            "PROVISION_CONTEXT" => Some(format!(r#"{{"stack":"s","function":"f"{context}}}"#)),
            "KAFKA_CA" => ca.map(str::to_owned),
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_SESSION_TOKEN" => None,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" => Some("128".to_owned()),
            name if name.starts_with("AWS_") => Some("example".to_owned()),
            _ => None,
        };
        Configuration::read(&variable).map_err(|error| error.to_string())
    }

    #[test]
    fn it_needs_a_topic_with_its_brokers() {
        let topic = |bootstrap: &str| format!(r#","follows":{{"e/m":{{"bootstrap":"{bootstrap}","topic":"m"}}}}"#);
        for (context, ca, words) in [
            (String::new(), None, "must name one"),
            (topic("(brokers of e)"), None, "`e/m`, which lacks"),
            (topic("b-1:9098,b-2"), None, "`e/m`, which lacks"),
            (topic("b-1:9098"), Some("none"), "`KAFKA_CA` has no certificate"),
        ] {
            let told = read(&context, ca).map(drop).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
        assert!(read(&topic("b-1:9098,b-2:9098"), None).is_ok());
    }

    #[test]
    fn brokers_elsewhere_are_reached_by_tls_with_the_role() {
        let creates = r#","creates":{"e/m":{"bootstrap":"b-1:9098","topic":"m","partitions":6,"replication":3}}"#;
        let configuration = read(creates, None).unwrap();
        assert!(matches!(configuration.security("b-1:9098"), Security::Iam { ca: None, .. }));
        assert!(matches!(configuration.security("127.0.0.1:9092"), Security::None));
        let ca = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----";
        let configuration = read(creates, Some(ca)).unwrap();
        assert!(matches!(configuration.security("127.0.0.1:9092"), Security::Iam { ca: Some(_), .. }));
    }

    #[test]
    fn the_schema_is_that_of_the_configuration() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../configuration.json")).unwrap();
        assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), [KAFKA_CA]);
        let is_valid = |ca: &str| jsonschema::is_valid(&schema, &serde_json::json!({ KAFKA_CA: ca }));
        assert!(is_valid("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----") && !is_valid("none"));
    }
}
