//! Reads single elements of S3's answers in XML.

/// Returns the text of the first element of that name in XML; `None` if there is none.
pub(crate) fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(unescaped(rest.split_once('<')?.0))
}

/// Returns the code in an error answer; `None` if it has none.
pub(crate) fn error_code(text: &str) -> Option<String> {
    element(text, "Code")
}

/// Returns a text of XML without escapes: the five names that XML knows by itself, and the numbers of quotes.
fn unescaped(text: &str) -> String {
    let escapes = [("&apos;", "'"), ("&#39;", "'"), ("&quot;", "\""), ("&#34;", "\""), ("&lt;", "<"), ("&gt;", ">")];
    let text = escapes.into_iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain));
    // The last one, so that nothing is taken for an escape that was none.
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_as_s3_meant_them() {
        assert_eq!(unescaped("isn&apos;t &quot;a&quot; &lt;b&gt; &#39;c&#34;"), "isn't \"a\" <b> 'c\"");
        assert_eq!(unescaped("&amp;apos; & AT&amp;T"), "&apos; & AT&T");
    }
}
