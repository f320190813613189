//! The header section of an object, as bytes: nothing is decoded, unfolded or skipped.
//!
//! Programs differ in what they take for a header: a line without a colon ends the section for one and is skipped by another,
//! a lone CR ends a line for a third. A section that they could read differently says nothing about its sender.

/// One header field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'object> {
    name: &'object str,
    pub(super) value: &'object [u8],
    pub(super) end: usize,
}

impl Field<'_> {
    /// Compares the name without case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Returns the name in lower case.
    pub(super) fn name(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// A header section.
#[derive(Debug, Default)]
pub(super) struct Section<'object> {
    /// The fields in order, up to the first line that is not a field.
    pub(super) fields: Vec<Field<'object>>,
    /// `true` if every program reads exactly these fields.
    pub(super) is_plain: bool,
}

impl<'object> Section<'object> {
    /// Reads the section up to the first empty line.
    pub(super) fn read(object: &'object [u8]) -> Self {
        let mut section = Self { fields: Vec::new(), is_plain: true };
        let mut at = 0;
        for line in object.split_inclusive(|byte| *byte == b'\n') {
            let start = at;
            at += line.len();
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() {
                return section;
            }
            section.is_plain &= !text.iter().any(|byte| matches!(byte, 0 | b'\r' | 0x0b | 0x0c | 0x1c..=0x1e));
            if matches!(text.first(), Some(b' ' | b'\t')) {
                let Some(last) = section.fields.last_mut() else { break };
                last.value = object.get(last.end - last.value.len()..at).unwrap_or_default();
                last.end = at;
                continue;
            }
            let Some((name, colon)) = name(text) else { break };
            section.fields.push(Field { name, value: object.get(start + colon + 1..at).unwrap_or_default(), end: at });
        }
        // The line is not a field, or the section has no empty line at its end.
        section.is_plain = false;
        section
    }

    /// Returns the fields with that name.
    pub(super) fn named<'own>(&'own self, name: &'own str) -> impl Iterator<Item = &'own Field<'object>> {
        self.fields.iter().filter(move |field| field.is(name))
    }
}

/// Returns the name of the field that a line begins, and the position of its colon; `None` if the line begins no field.
fn name(line: &[u8]) -> Option<(&str, usize)> {
    let colon = memchr::memchr(b':', line)?;
    let name = str::from_utf8(line.get(..colon)?).ok()?.trim_end_matches([' ', '\t']);
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())).then_some((name, colon))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(object: &str) -> (Vec<(String, String)>, bool) {
        let section = Section::read(object.as_bytes());
        let pairs =
            section.fields.iter().map(|field| (field.name(), String::from_utf8_lossy(field.value).into_owned()));
        (pairs.collect(), section.is_plain)
    }

    #[test]
    fn a_section_ends_at_the_first_empty_line() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![pair("from", " a\r\n b\r\n"), pair("to", "\r\n")];
        assert_eq!(read("From: a\r\n b\r\nTO :\r\n\r\nFrom: c\r\n"), (expected, true));
        let object = b"A: b\n c\n\nbody";
        assert_eq!(Section::read(object).fields[0].end, 8);
    }

    #[test]
    fn a_section_that_programs_read_differently_is_not_plain() {
        for odd in [
            "",
            "A: b\r\n",
            "A: b\r\nno field\r\n\r\n",
            " folded\r\n\r\n",
            "A: b\rFrom: c\r\n\r\n",
            "A: b\0\n\n",
            "A b: c\n\n",
            "\u{feff}A: b\n\n",
            "A: b\x0bFrom: c\n\n",
        ] {
            assert!(!read(odd).1, "{odd:?}");
        }
    }
}
