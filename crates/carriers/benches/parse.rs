//! Parsing throughput: mails a second on one core, over the corpus where there is one, else over our own mails.
//!
//! `cargo bench -p carriers --profile lambda --bench parse`: as the function is compiled, which is not as `bench` is. Budget: 2,000 mails
//! a second and core over the corpus, and no provider slower than 1 ms a mail.

mod mails;

use std::hint::black_box;

use divan::{Bencher, counter::ItemsCount};
use mail::Mail;

fn main() {
    divan::main();
}

/// Bytes → outcome, all mails once.
#[divan::bench]
fn all_mails(bencher: Bencher<'_, '_>) {
    read(bencher, &all());
}

/// Bytes → outcome, the mails of one provider.
#[divan::bench(args = mails::providers())]
fn provider(bencher: Bencher<'_, '_>, provider: &str) {
    read(bencher, &mails::of(provider));
}

/// Bytes → [`Mail`] alone, all mails once.
#[divan::bench]
fn decode_only(bencher: Bencher<'_, '_>) {
    let mails = all();
    bencher.counter(ItemsCount::new(mails.len())).bench_local(|| {
        for bytes in &mails {
            black_box(Mail::decode(black_box(bytes)));
        }
    });
}

fn all() -> Vec<Vec<u8>> {
    mails::providers().iter().flat_map(|provider| mails::of(provider)).collect()
}

fn read(bencher: Bencher<'_, '_>, mails: &[Vec<u8>]) {
    bencher.counter(ItemsCount::new(mails.len())).bench_local(|| {
        for bytes in mails {
            black_box(carriers::parse(&Mail::decode(black_box(bytes))));
        }
    });
}
