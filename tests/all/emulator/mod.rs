//! The AWS emulator that the engine's tests use, and tests of the emulator itself.

pub(crate) mod account;
pub(crate) mod calls;
pub(crate) mod fault;
pub(crate) mod mail;
pub(crate) mod pipeline;
pub(crate) mod proxy;
mod proxying;
pub(crate) mod server;

use account::Account;
use server::Emulator;

#[test]
fn an_emulator_is_an_empty_account_of_its_own() {
    let (Some(one), Some(other)) = (Emulator::start(), Emulator::start()) else { return };
    let (first, second) = (Account::at(&one.url), Account::at(&other.url));
    first.wait(first.sns.create_topic().name("one").send()).unwrap();
    assert_eq!(first.wait(first.sns.list_topics().send()).unwrap().topics().len(), 1);
    assert_eq!(second.wait(second.sns.list_topics().send()).unwrap().topics().len(), 0);
    let identity = first.wait(first.sts.get_caller_identity().send()).unwrap();
    assert_eq!(identity.account(), Some(server::ACCOUNT));
}

#[test]
fn a_snapshot_is_the_account_as_it_was_however_often_it_is_restored() {
    let Some(emulator) = Emulator::start() else { return };
    let account = Account::at(&emulator.url);
    let tagged = |name: &str, value: &str| {
        let url = account.wait(account.sqs.create_queue().queue_name(name).send()).unwrap().queue_url.unwrap();
        account.wait(account.sqs.tag_queue().queue_url(&url).tags("by", value).send()).unwrap();
        url
    };
    let empty = emulator.snapshot();
    let url = tagged("one", "us");
    let read = || {
        let tags = account.wait(account.sqs.list_queue_tags().queue_url(&url).send()).unwrap().tags;
        (account.inventory(), tags.unwrap_or_default().remove("by"))
    };
    let (stands, before) = (emulator.snapshot(), read());
    assert_eq!(before.1.as_deref(), Some("us"));
    for _ in 0..2 {
        // The snapshot contains neither later additions nor later changes.
        tagged("one", "them");
        tagged("other", "them");
        account.wait(account.sns.create_topic().name("first-of-its-service").send()).unwrap();
        assert_ne!(read(), before);
        emulator.restore(&stands);
        assert_eq!(read(), before);
    }
    emulator.restore(&empty);
    assert_eq!(account.inventory(), Vec::<String>::new());
}
