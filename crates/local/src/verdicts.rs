//! SES's verdicts on a mail. Nothing is scanned or looked up on this machine: the verdicts are the chosen ones.

use std::{fmt, str::FromStr};

/// The result of one check, in SES's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// The mail passed.
    #[default]
    Pass,
    /// The mail failed.
    Fail,
    /// The check is not sure; for SPF, DKIM and DMARC: there is nothing to check.
    Gray,
    /// SES could not make the check.
    ProcessingFailed,
    /// The receipt rule does not ask for this check.
    Disabled,
}

const VERDICTS: [Verdict; 5] =
    [Verdict::Pass, Verdict::Fail, Verdict::Gray, Verdict::ProcessingFailed, Verdict::Disabled];

impl Verdict {
    /// Returns the word of the event and of the `X-SES-…-Verdict` headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Gray => "GRAY",
            Self::ProcessingFailed => "PROCESSING_FAILED",
            Self::Disabled => "DISABLED",
        }
    }

    /// Returns the verdict with that name in SES's words, in either case; `None` for another word.
    pub fn of(word: &str) -> Option<Self> {
        VERDICTS.into_iter().find(|verdict| verdict.as_str().eq_ignore_ascii_case(word))
    }

    /// Returns the word of `Authentication-Results` (RFC 8601).
    pub fn result(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Gray | Self::Disabled => "none",
            Self::ProcessingFailed => "temperror",
        }
    }
}

/// The checks that SES makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Spam,
    Virus,
    Spf,
    Dkim,
    Dmarc,
}

const CHECKS: [(&str, Check); 5] = [
    ("spam", Check::Spam),
    ("virus", Check::Virus),
    ("spf", Check::Spf),
    ("dkim", Check::Dkim),
    ("dmarc", Check::Dmarc),
];

/// One verdict as typed: `dmarc=FAIL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    check: Check,
    verdict: Verdict,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, wanted) = text.split_once('=').ok_or("expected CHECK=VERDICT, such as `dmarc=FAIL`")?;
        let known = |(candidate, check): &(&str, Check)| candidate.eq_ignore_ascii_case(name.trim()).then_some(*check);
        let check = CHECKS.iter().find_map(known).ok_or_else(|| {
            format!("`{name}` is not a check; the checks are {}", CHECKS.map(|(name, _)| name).join(", "))
        })?;
        let wanted = wanted.trim();
        let verdict = Verdict::of(wanted).ok_or_else(|| {
            format!("`{wanted}` is not a verdict; the verdicts are {}", VERDICTS.map(Verdict::as_str).join(", "))
        })?;
        Ok(Self { check, verdict })
    }
}

/// All verdicts on a mail, PASS unless set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// Verdict on spam.
    pub spam: Verdict,
    /// Verdict on viruses.
    pub virus: Verdict,
    /// Verdict of SPF, on the envelope's sender.
    pub spf: Verdict,
    /// Verdict of DKIM, on the signatures.
    pub dkim: Verdict,
    /// Verdict of DMARC, on the author.
    pub dmarc: Verdict,
}

impl Verdicts {
    /// Returns the verdicts with these settings and PASS otherwise; of two settings for one check the last one counts.
    pub fn with(settings: &[Setting]) -> Self {
        let mut verdicts = Self::default();
        for setting in settings {
            *verdicts.slot(setting.check) = setting.verdict;
        }
        verdicts
    }

    /// Returns the verdicts under a rule: without scanning there is none on spam and viruses.
    #[must_use]
    pub fn under(self, scan: bool) -> Self {
        if scan { self } else { Self { spam: Verdict::Disabled, virus: Verdict::Disabled, ..self } }
    }

    fn slot(&mut self, check: Check) -> &mut Verdict {
        match check {
            Check::Spam => &mut self.spam,
            Check::Virus => &mut self.virus,
            Check::Spf => &mut self.spf,
            Check::Dkim => &mut self.dkim,
            Check::Dmarc => &mut self.dmarc,
        }
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spam, virus, spf, dkim, dmarc } = *self;
        let [spam, virus, spf, dkim, dmarc] = [spam, virus, spf, dkim, dmarc].map(Verdict::as_str);
        write!(formatter, "spam {spam}, virus {virus}, SPF {spf}, DKIM {dkim}, DMARC {dmarc}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_without_case_and_refused_with_what_there_is() {
        let settings: Vec<Setting> = ["dmarc=fail", "SPAM=gray", "dmarc=PASS", "dkim=processing_failed"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let expected = Verdicts { spam: Verdict::Gray, dkim: Verdict::ProcessingFailed, ..Verdicts::default() };
        assert_eq!(Verdicts::with(&settings), expected);
        assert_eq!("spam".parse::<Setting>().unwrap_err(), "expected CHECK=VERDICT, such as `dmarc=FAIL`");
        assert_eq!(
            "arc=PASS".parse::<Setting>().unwrap_err(),
            "`arc` is not a check; the checks are spam, virus, spf, dkim, dmarc"
        );
        assert_eq!(
            "spf=NO".parse::<Setting>().unwrap_err(),
            "`NO` is not a verdict; the verdicts are PASS, FAIL, GRAY, PROCESSING_FAILED, DISABLED"
        );
    }

    #[test]
    fn a_rule_without_scanning_has_no_verdict_on_spam_and_viruses() {
        let asked = Verdicts::with(&["spam=FAIL".parse().unwrap(), "spf=FAIL".parse().unwrap()]);
        assert_eq!(asked.under(true), asked);
        let under = asked.under(false);
        assert_eq!((under.spam, under.virus, under.spf), (Verdict::Disabled, Verdict::Disabled, Verdict::Fail));
    }
}
