//! CBOR, in which CloudWatch answers, from the JSON in which a shape is written.

use aws_smithy_cbor::Encoder;
use serde_json::Value;

pub(crate) fn from_json(text: &str) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encode(&serde_json::from_str(text).unwrap(), &mut encoder);
    encoder.into_writer()
}

fn encode(value: &Value, encoder: &mut Encoder) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(one) => {
            encoder.boolean(*one);
        }
        // What has a fraction in a shape is a floating-point number in the service's model.
        Value::Number(number) => match number.as_i64().and_then(|number| i32::try_from(number).ok()) {
            Some(number) => {
                encoder.integer(number);
            }
            None => {
                encoder.double(number.as_f64().unwrap());
            }
        },
        Value::String(text) => {
            encoder.str(text);
        }
        Value::Array(items) => {
            encoder.array(items.len());
            for item in items {
                encode(item, encoder);
            }
        }
        Value::Object(object) => {
            encoder.map(object.len());
            for (key, value) in object {
                encoder.str(key);
                encode(value, encoder);
            }
        }
    }
}
