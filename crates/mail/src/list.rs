//! Mailing lists that replace the author in `From`, so that their mail passes DMARC, and keep the author elsewhere.

use super::{Layer, Mailbox, Wrapping, headers};

/// Returns the message as it was before a list rewrote its sender; `None` where none did.
///
/// Google Groups keeps the author in `X-Original-From` or `X-Original-Sender`, Mailman in `Reply-To`, others in `Original-From`.
pub(super) fn rewritten(layer: &Layer) -> Option<Layer> {
    let sender = layer.sender.as_ref()?;
    let author = ["X-Original-From", "Original-From", "X-Original-Sender"]
        .into_iter()
        .find_map(|name| single(layer, name))
        .or_else(|| names_list(layer, sender).then(|| single(layer, "Reply-To")).flatten())?;
    let differs = !author.address.eq_ignore_ascii_case(&sender.address);
    differs.then(|| Layer { wrapping: Wrapping::List, sender: Some(author), ..layer.clone() })
}

/// Returns the mailbox of a header that has exactly one.
fn single(layer: &Layer, name: &str) -> Option<Mailbox> {
    let mut mailboxes = headers::mailboxes(layer.header(name)?).into_iter();
    let first = mailboxes.next()?;
    (mailboxes.next().is_none() && first.domain().is_some()).then_some(first)
}

/// Returns `true` if the sender is the list itself: its posting address, or `Somebody via list`.
fn names_list(layer: &Layer, sender: &Mailbox) -> bool {
    if ["List-Id", "List-Post", "Mailing-List"].iter().all(|name| layer.header(name).is_none()) {
        return false;
    }
    let posts = layer.header("List-Post").is_some_and(|post| {
        let address = sender.address.to_ascii_lowercase();
        post.to_ascii_lowercase().contains(&format!("mailto:{address}>"))
    });
    posts || sender.name.as_deref().is_some_and(|name| name.contains(" via "))
}

#[cfg(test)]
mod tests {
    use crate::{Mail, Wrapping};

    fn senders(headers: &str) -> Vec<(Wrapping, Option<String>)> {
        let mail = Mail::decode(format!("{headers}Subject: Planned work\n\ntext\n").as_bytes());
        let address = |layer: &crate::Layer| layer.sender.as_ref().map(|sender| sender.address.clone());
        mail.layers().iter().map(|layer| (layer.wrapping, address(layer))).collect()
    }

    fn both(outer: &str, inner: &str) -> Vec<(Wrapping, Option<String>)> {
        vec![(Wrapping::Outermost, Some(outer.to_owned())), (Wrapping::List, Some(inner.to_owned()))]
    }

    #[test]
    fn the_author_is_found_behind_the_list() {
        let group =
            "From: 'Carrier NOC' via maint <maint@example.net>\nX-Original-From: Carrier NOC <noc@carrier.example>\n";
        assert_eq!(senders(group), both("maint@example.net", "noc@carrier.example"));
        let mailman = "From: Carrier via Maint <maint@example.net>\nList-Post: <mailto:maint@example.net>\n\
                       Reply-To: Carrier <noc@carrier.example>\n";
        assert_eq!(senders(mailman), both("maint@example.net", "noc@carrier.example"));
    }

    #[test]
    fn a_sender_that_was_kept_is_no_rewriting() {
        let kept =
            "From: <NOC@Carrier.example>\nX-Original-Sender: noc@carrier.example\nList-ID: <maint.example.net>\n";
        assert_eq!(senders(kept), [(Wrapping::Outermost, Some("NOC@Carrier.example".to_owned()))]);
        let answers = "From: noc@carrier.example\nReply-To: desk@carrier.example\nList-ID: <maint.example.net>\n";
        assert_eq!(senders(answers).len(), 1);
        let elsewhere = "From: a@example.net\nReply-To: noc@carrier.example\n";
        assert_eq!(senders(elsewhere).len(), 1);
    }
}
