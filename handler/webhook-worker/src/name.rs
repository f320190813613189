//! Names of stored outputs: extension and media type follow from the name of the file at its source.

/// Length limit of an extension, in characters.
const LONGEST: usize = 10;
/// Media type of everything that has no other.
const BYTES: &str = "application/octet-stream";

/// Media types by extension: kinds of output that browsers and tools treat in their own way.
const TYPES: &[(&str, &str)] = &[
    ("avi", "video/x-msvideo"),
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("jsonl", "application/jsonl"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("tar", "application/x-tar"),
    ("tgz", "application/gzip"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("txt", "text/plain"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// The form of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Extension of the key: 1 to 10 lower-case letters and digits.
    pub extension: String,
    /// Media type; `None` if the extension does not tell it.
    media_type: Option<&'static str>,
}

impl Form {
    /// Returns the form of a file of that name, whose extension is sanitised; of one without a usable extension, plain bytes.
    ///
    /// ```
    /// use webhook_worker::name::Form;
    ///
    /// assert_eq!(Form::of("output.JSON").media_type(), "application/json");
    /// assert_eq!(Form::of("../../etc/passwd").extension, "bin");
    /// ```
    pub fn of(file_name: &str) -> Self {
        let last = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let extension = last.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let is_usable = |extension: &String| {
            (1..=LONGEST).contains(&extension.len()) && extension.bytes().all(|letter| letter.is_ascii_alphanumeric())
        };
        let extension = extension.filter(is_usable).unwrap_or_else(|| "bin".to_owned());
        let found = TYPES.iter().find(|(known, _)| *known == extension);
        Self { extension, media_type: found.map(|(_, media_type)| *media_type) }
    }

    /// Returns the forms with a media type of their own, and plain bytes: those that most outputs are stored in.
    pub fn common() -> Vec<Self> {
        TYPES
            .iter()
            .map(|(extension, _)| *extension)
            .chain(["bin"])
            .map(|extension| Self::of(&format!("a.{extension}")))
            .collect()
    }

    /// Returns the media type by the extension.
    pub fn media_type(&self) -> &'static str {
        self.media_type.unwrap_or(BYTES)
    }

    /// Returns the media type by the extension, else the one that the source states, if it is one.
    pub fn media_type_or(&self, stated: Option<&str>) -> String {
        let is_type = |text: &&str| {
            text.len() <= 120 && text.contains('/') && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        };
        self.media_type.or(stated.filter(is_type)).unwrap_or(BYTES).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_a_few_letters_and_digits_or_none() {
        for (name, extension, media_type) in [
            ("output.json", "json", "application/json"),
            ("labels.v2.CSV", "csv", "text/csv"),
            ("clip.mp4", "mp4", "video/mp4"),
            ("a.tar.gz", "gz", "application/gzip"),
            ("a.parquet", "parquet", BYTES),
            ("output", "bin", BYTES),
            ("", "bin", BYTES),
            (".", "bin", BYTES),
            ("a.", "bin", BYTES),
            ("a.b/c", "bin", BYTES),
            ("a.b\\c", "bin", BYTES),
            ("../../x.json/../y", "bin", BYTES),
            ("a.js on", "bin", BYTES),
            ("a.%2e", "bin", BYTES),
            ("a.json\n", "bin", BYTES),
            ("a.abcdefghijk", "bin", BYTES),
            ("a.ünder", "bin", BYTES),
        ] {
            let form = Form::of(name);
            assert_eq!((form.extension.as_str(), form.media_type()), (extension, media_type), "{name}");
        }
        assert_eq!(Form::of("a").media_type_or(Some("text/calendar")), "text/calendar");
        assert_eq!(Form::of("a.json").media_type_or(Some("text/html")), "application/json");
        for stated in ["", "text", "text/ä", "a/b\r\nx: y"] {
            assert_eq!(Form::of("a").media_type_or(Some(stated)), BYTES);
        }
    }

    #[test]
    fn the_types_are_sorted_and_each_extension_is_there_once() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
