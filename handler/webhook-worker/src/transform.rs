//! Transforms of outputs. None is the default: the bytes are stored as they came.

use serde_json::{Map, Value, json};

/// Size limit of an output that a transform takes, in bytes. It is read into memory whole, and as a tree takes up to ten times its size:
/// with 512 MB of memory for the function it fits.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// Makes another output of an output.
pub trait Transform {
    /// Returns the new output, or why there is none: the output is not what the transform is for.
    fn apply(&self, output: &[u8]) -> Result<Vec<u8>, String>;
}

/// One of the available transforms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OneTransform {
    /// Stores the bytes unchanged.
    #[default]
    None,
    /// Changes outputs as [`VideoQuality`] does.
    VideoQuality,
}

/// The example of the reference, "translate your data here": it adds the attribute `Video-Quality` = `Amazing` to the labels of a video.
/// It gives what the reference gives, whose labels lose their frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoQuality;

impl OneTransform {
    /// Returns the transform; `None` if the bytes are to be stored as they come.
    pub fn as_transform(self) -> Option<&'static dyn Transform> {
        match self {
            Self::None => None,
            Self::VideoQuality => Some(&VideoQuality),
        }
    }
}

impl Transform for VideoQuality {
    fn apply(&self, output: &[u8]) -> Result<Vec<u8>, String> {
        let mut labels: Map<String, Value> =
            serde_json::from_slice(output).map_err(|error| format!("the output is not a JSON object: {error}"))?;
        let container = labels.entry("attrs").or_insert_with(|| json!({}));
        let container = container.as_object_mut().ok_or("`attrs` of the output is not an object")?;
        let attributes = container.entry("attrs").or_insert_with(|| json!([]));
        let attributes = attributes.as_array_mut().ok_or("`attrs.attrs` of the output is not a list")?;
        attributes.push(json!({
            "type": "eta.core.data.CategoricalAttribute", "name": "Video-Quality", "value": "Amazing",
        }));
        if labels.get("frames").is_some_and(|frames| !frames.is_object()) {
            return Err("`frames` of the output is not an object".to_owned());
        }
        labels.insert("frames".to_owned(), json!({}));
        serde_json::to_vec_pretty(&labels).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(labels: &Value) -> Result<Value, String> {
        let output = VideoQuality.apply(labels.to_string().as_bytes())?;
        Ok(serde_json::from_slice(&output).unwrap())
    }

    #[test]
    fn labels_become_what_the_reference_makes_of_them() {
        let weather = json!({"type": "eta.core.data.CategoricalAttribute", "name": "weather", "value": "rain", "confidence": 0.95});
        let quality =
            json!({"type": "eta.core.data.CategoricalAttribute", "name": "Video-Quality", "value": "Amazing"});
        let objects = json!({"objects": [{"label": "car", "index": 1}]});
        let labels = json!({"attrs": {"attrs": [weather]}, "frames": {"1": {"frame_number": 1, "objects": objects}}});
        assert_eq!(applied(&labels).unwrap(), json!({"attrs": {"attrs": [weather, quality]}, "frames": {}}));
        assert_eq!(applied(&json!({})).unwrap(), json!({"attrs": {"attrs": [quality]}, "frames": {}}));
        let named = json!({"filename": "a.mp4", "frames": {}});
        assert_eq!(applied(&named).unwrap(), json!({"filename": "a.mp4", "attrs": {"attrs": [quality]}, "frames": {}}));
    }

    #[test]
    fn an_output_of_another_form_is_refused() {
        for output in [
            &b"not json"[..],
            b"",
            b"[]",
            b"3",
            b"\xff",
            b"{\"attrs\": []}",
            b"{\"attrs\": {\"attrs\": 1}}",
            b"{\"frames\": []}",
            b"{}x",
        ] {
            assert!(VideoQuality.apply(output).is_err(), "{}", String::from_utf8_lossy(output));
        }
        assert!(OneTransform::None.as_transform().is_none());
    }
}
