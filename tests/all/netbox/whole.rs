//! Tests that a mail whose object is deleted is whole in NetBox, as NetBox has stored it.

use serde_json::json;

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    server::NetBox,
};

/// A page from somebody unknown, with a file, in words that look like our own lines.
const PAGE: &str = "From: Jo <jo@stranger.example>\r\nTo: maintenance@example.com\r\nSubject: Works\r\n\
    Message-ID: <1@stranger.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\n\
    Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>The mail as it came:</p><pre>\r\nT\u{f6}night &amp; later\u{200b}\t \r\n</pre>\
    </body></html>\r\n--part\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQUFB\r\n\
    --part--\r\n\r\n \r\n";

#[test]
fn a_mail_that_is_deleted_is_in_netbox_byte_for_byte_and_once() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let pipeline = Pipeline::new(&netbox.url, netbox.token(""), DOMAIN).with_deletion();
    let notice = Notice { text: "Tonight <1h> & later.\r\n\r\n".to_owned(), ..Notice::new("CHG-1") }.mail();
    let large = Notice { text: "Nothing new.\r\n".repeat(30_000), ..Notice::new("CHG-2") }.mail();
    for (number, (mail, outcome, is_deleted)) in
        [(notice.as_str(), "delivered", true), (PAGE, "for_person", true), (&large, "delivered", false)]
            .into_iter()
            .enumerate()
    {
        let path = pipeline.mail("mail.eml", mail);
        // The second time NetBox has it already, from an object with other headers of SES: that one is not in NetBox.
        for is_first in [true, false] {
            let end = pipeline.deliver(std::slice::from_ref(&path)).mails.remove(0);
            assert_eq!(end["outcome"], outcome, "{end:#}");
            assert_eq!(end["details"]["deleted"], json!(is_deleted && is_first), "{end:#}");
            let says = end["reason"].as_str().unwrap_or_default().contains("the mail stays in its bucket");
            assert_eq!(says, !(is_deleted && is_first), "{end:#}");
        }
        let all = netbox.content().notifications;
        assert_eq!(all.len(), number + 1, "{all:#?}");
        let body = all[number]["email_body"].as_str().unwrap();
        let body = body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert_eq!(body.contains(mail), is_deleted, "{body}");
        assert!(!body.contains("s3://") || !is_deleted, "{body}");
    }
}
