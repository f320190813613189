//! Attacks on the reading of mails by their HTML.

use super::{Shape, fill, html, numbered, one_of, pieces};

pub(super) const SHAPES: &[Shape] = &[
    ("elements in elements", |rng, size| {
        let tag = one_of(
            rng,
            &[
                "<div>",
                "<table><tr><td>",
                "<b><i><u>",
                "<ul><li>",
                "<svg><g>",
                "<template>",
                "<select><option>",
                "<font size=1>",
                "<blockquote>",
                "<a>",
                "<math><mi>",
                "<object>",
                "<button>",
                "<dl><dd>",
                "<form>",
                "<nobr>",
                "<ruby><rt>",
            ],
        );
        html(&fill(tag, size - 60))
    }),
    ("elements in elements, below what is refused", |rng, size| {
        let (open, close) = [
            ("<div>", "</div>"),
            ("<table><tr><td>", "</td></tr></table>"),
            ("<b>", "</b>"),
            ("<span class=a>", "</span>"),
        ][rng.usize(..4)];
        let depth = 250 / open.matches('<').count();
        html(&fill(&format!("{}a{}", open.repeat(depth), close.repeat(depth)), size - 60))
    }),
    ("formatting that is opened again", |rng, size| {
        let end = one_of(rng, &["<p>", "</p>", "<div>", "<td>", "<br>"]);
        html(&pieces(size - 60, |number| format!("<b a{number}>{end}")))
    }),
    ("ends of what was never begun", |rng, size| {
        html(&fill(
            one_of(rng, &["</p>", "</br>", "</b>", "</table>", "</a></b></i>", "</html>", "</body>"]),
            size - 60,
        ))
    }),
    ("formatting that ends crosswise", |_, size| html(&fill("<a><b><div></a></b><p></i><i></div>", size - 60))),
    ("attributes", |rng, size| {
        let attributes = pieces(size - 100, |number| format!(" a{number}"));
        html(&format!("<{}{attributes}>x", one_of(rng, &["p", "td", "html", "body", "table"])))
    }),
    ("attributes of many elements", |rng, size| {
        let attributes: String = numbered(rng.usize(2..200), |number| format!(" a{number}=b"));
        html(&fill(&format!("<p{attributes}>x"), size - 60))
    }),
    ("attributes of the body, again and again", |_, size| {
        html(&pieces(size - 60, |number| format!("<body a{number}=b><html b{number}>")))
    }),
    ("long attributes", |rng, size| {
        let value = "class ".repeat(rng.usize(1..2_000));
        html(&fill(&format!("<td class=\"{value}\" style=\"{value}\">x"), size - 60))
    }),
    ("references of characters", |rng, size| {
        let reference = one_of(
            rng,
            &[
                "&amp;",
                "&#x10FFFF;",
                "&CounterClockwiseContourIntegral;",
                "&#0;",
                "&",
                "&amp;amp;",
                "&nbsp;",
                "&notit;",
                "&#99999999999;",
                "&lt;",
            ],
        );
        html(&format!("<p>{}", fill(reference, size - 60)))
    }),
    ("cells that span", |rng, size| {
        let cell = format!(
            "<td colspan={} rowspan={}>a",
            one_of(rng, &["1000", "65534", "-1", "99999999999"]),
            one_of(rng, &["65534", "0", "1000"])
        );
        let row = format!("<tr>{}", cell.repeat(rng.usize(1..50)));
        html(&format!("<table>{}", fill(&row, size - 60)))
    }),
    ("rows", |rng, size| {
        let row = format!("<tr>{}", "<td>a".repeat(rng.usize(1..20)));
        html(&format!("<table>{}</table>", fill(&row, size - 80)))
    }),
    ("columns", |_, size| html(&format!("<table><tr>{}<tr><td>a</table>", fill("<td>Circuit ID", size - 100)))),
    ("a head of many columns over many rows", |_, size| {
        html(&format!(
            "<table><tr>{}</tr>{}</table>",
            "<th>Circuit ID".repeat(2_000),
            fill("<tr><td>EX-1<td>b", size - 40_000)
        ))
    }),
    ("tables", |rng, size| {
        let (rows, cells) = (rng.usize(1..6), rng.usize(1..6));
        let table = format!("<table>{}</table>", format!("<tr>{}</tr>", "<td>Start:</td>".repeat(cells)).repeat(rows));
        html(&fill(&table, size - 60))
    }),
    ("tables in cells", |_, size| {
        html(&fill("<table><tr><td>a<table><tr><td>b<table><tr><td>c</table></table></table>", size - 60))
    }),
    ("text in tables outside of cells", |_, size| html(&format!("<table>{}", fill("x<tr>y<b>z", size - 60)))),
    ("labels and values", |rng, size| {
        let label = one_of(
            rng,
            &[
                "Start",
                "Circuit ID",
                "Maintenance ID",
                "Impact",
                "Location",
                "Status",
                "End Date/Time (UTC)",
                "Reference",
            ],
        );
        let form = one_of(
            rng,
            &[
                "<p><b>L:</b> V</p>",
                "<tr><td>L<td>V",
                "<div>L: V<br></div>",
                "<dt>L<dd>V",
                "<li>L - V",
                "<b>L</b><br>V<br>",
            ],
        );
        let unit = form
            .replace('L', label)
            .replace('V', one_of(rng, &["1 Jan 2031 10:00 UTC", "EX-12345", "a", "", "10:00 - 12:00"]));
        html(&fill(&unit, size - 60))
    }),
    ("comments", |rng, size| {
        html(&fill(
            one_of(rng, &["<!--", "<!-->", "<!---->", "<!--[if mso]>", "<![endif]-->", "<!", "<?", "<![CDATA["]),
            size - 60,
        ))
    }),
    ("raw text", |rng, size| {
        let tag =
            one_of(rng, &["style", "script", "textarea", "title", "plaintext", "xmp", "noscript", "iframe", "noembed"]);
        html(&fill(&format!("<{tag}></{}", &tag[..3]), size - 60))
    }),
    ("styles and scripts", |rng, size| {
        let tag = one_of(rng, &["style", "script", "head", "title", "textarea"]);
        html(&fill(&format!("<{tag}>p{{}}</{tag}>"), size - 60))
    }),
    ("line breaks", |rng, size| {
        html(&format!(
            "<p>{}",
            fill(one_of(rng, &["<br>", "<hr>", "<wbr>", "<br/>\n", "<img>", "&nbsp;<br>"]), size - 60)
        ))
    }),
    ("a text without white space", |rng, size| {
        html(&fill(one_of(rng, &["x", "1", ":", "-", "\u{301}", "\u{202e}", "\u{ad}", "/", "0x"]), size - 60))
    }),
    ("white space", |rng, size| {
        html(&format!(
            "<p>a{}b",
            fill(one_of(rng, &[" ", "\n", "\u{a0}", "\t \r\n", "\u{3000}", "\u{200b}"]), size - 60)
        ))
    }),
    ("unclosed tags", |rng, size| {
        html(&fill(one_of(rng, &["<", "<p ", "<a href=\"", "<p a='", "</", "<p/"]), size - 60))
    }),
    ("words in elements of their own", |_, size| {
        html(&fill("<span>The</span> <b>circuit</b> <i>is</i> down. ", size - 60))
    }),
    ("pages in pages", |_, size| {
        html(&fill("<html><head><title>a</title></head><body><p>b</p></body></html>", size - 60))
    }),
    ("links and pictures", |_, size| {
        html(&fill("<a href=\"https://a.example/?b=c&amp;d=e\"><img src=\"cid:a\" alt=\"b\"></a>", size - 60))
    }),
    ("lists", |_, size| html(&fill("<ul><li>EX-1</li><li>EX-2</li></ul>", size - 60))),
    ("letters that are none", |_, size| html(&fill("a\0\u{fffe}\u{7f}\u{85}", size - 60))),
];
