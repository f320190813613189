//! Claims: locks that let one of several concurrent deliveries store a mail. NetBox takes the same notification any number of times, so a
//! delivery first writes its claim into the event's note, under the event's `ETag`: one delivery gets the claim, and the others wait until
//! the mail is stored. A claim expires with the invocation that made it. The first delivery writes its claim together with the event, so
//! that it costs no call.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The claim of a delivery that is about to store a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Name of the instance of the function.
    pub by: String,
    /// Time at which its invocation is over for sure.
    pub until: Timestamp,
}

/// The claims at an event, by the fingerprint of the mail.
pub type Claims = BTreeMap<String, Claim>;

/// A delivery of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The mail's fingerprint: see [`ArrivedMail::fingerprint`](crate::pipeline::arrived_mail::ArrivedMail::fingerprint).
    pub mail: String,
    /// The claim that this delivery writes.
    pub claim: Claim,
    /// Provider and mail, for NetBox's changelog.
    pub source: String,
}

/// The delivery that may store a mail with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Any delivery that claims it.
    Nobody,
    /// This delivery holds the claim.
    Us,
    /// Another delivery of the same mail.
    Other,
}

impl Claimant {
    /// Returns whether this delivery has claimed its mail.
    pub fn holds(&self, claims: &Claims) -> bool {
        claims.get(&self.mail) == Some(&self.claim)
    }

    /// Returns the delivery that may store this mail.
    pub fn holder(&self, claims: &Claims, now: Timestamp) -> Holder {
        match claims.get(&self.mail) {
            Some(claim) if *claim == self.claim => Holder::Us,
            // Of an earlier invocation of this instance, which is over.
            Some(claim) if claim.by == self.claim.by => Holder::Nobody,
            Some(claim) if claim.until > now => Holder::Other,
            Some(_) | None => Holder::Nobody,
        }
    }

    /// Returns these claims with ours, unless another delivery holds this mail.
    pub fn join(&self, claims: &Claims, now: Timestamp) -> Claims {
        let mut joined = live(claims, now);
        if self.holder(claims, now) != Holder::Other {
            joined.insert(self.mail.clone(), self.claim.clone());
        }
        joined
    }

    /// Returns the mails that other deliveries may be about to store.
    pub fn of_others<'claims>(&self, claims: &'claims Claims, now: Timestamp) -> impl Iterator<Item = &'claims String> {
        claims.iter().filter(move |(_, claim)| claim.by != self.claim.by && claim.until > now).map(|(mail, _)| mail)
    }
}

/// Returns the claims that have not expired.
pub fn live(claims: &Claims, now: Timestamp) -> Claims {
    claims.iter().filter(|(_, claim)| claim.until > now).map(|(mail, claim)| (mail.clone(), claim.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn claimant(mail: &str, by: &str, until: i64) -> Claimant {
        let claim = Claim { by: by.to_owned(), until: time(until) };
        Claimant { mail: mail.to_owned(), claim, source: String::new() }
    }

    #[test]
    fn of_two_deliveries_the_one_that_wrote_first_holds_the_mail_until_its_time_is_over() {
        let (first, second) = (claimant("m", "a", 10), claimant("m", "b", 12));
        let claims = first.join(&Claims::new(), time(1));
        assert_eq!((first.holder(&claims, time(2)), second.holder(&claims, time(2))), (Holder::Us, Holder::Other));
        assert_eq!(second.join(&claims, time(2)), claims, "it is not taken away");
        assert_eq!(second.holder(&claims, time(10)), Holder::Nobody);
        let taken = second.join(&claims, time(10));
        assert_eq!((first.holder(&taken, time(10)), second.holder(&taken, time(10))), (Holder::Other, Holder::Us));
    }

    #[test]
    fn the_next_invocation_of_an_instance_renews_its_claim() {
        let (first, again) = (claimant("m", "a", 10), claimant("m", "a", 70));
        let claims = first.join(&Claims::new(), time(1));
        assert_eq!(again.holder(&claims, time(5)), Holder::Nobody);
        assert_eq!(again.holder(&again.join(&claims, time(5)), time(5)), Holder::Us);
    }

    #[test]
    fn claims_of_other_mails_stay_until_they_end() {
        let claims = claimant("m", "a", 10).join(&Claims::new(), time(1));
        let both = claimant("n", "b", 20).join(&claims, time(2));
        assert_eq!(both.keys().collect::<Vec<_>>(), ["m", "n"]);
        let us = claimant("n", "b", 20);
        assert_eq!(us.of_others(&both, time(3)).collect::<Vec<_>>(), ["m"]);
        assert_eq!(us.of_others(&both, time(10)).count(), 0);
        assert_eq!(live(&both, time(10)).keys().collect::<Vec<_>>(), ["n"]);
    }
}
