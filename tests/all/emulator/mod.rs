//! The emulator of AWS that the engine's tests run on, and whether it is good enough for them.

pub(crate) mod account;
mod calls;
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
