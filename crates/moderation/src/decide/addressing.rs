//! To whom and what an action is done.

use super::ages::is_protected;
use crate::policy::{ActionSubject, PolicyAction};
use crate::{Account, AccountId, ActionKind, Event, Subject, SubjectId, SubjectKind};

/// The subject of one action, and whom it protects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) subject: Subject,
    pub(super) beneficiary: Option<AccountId>,
}

/// Returns every address of an action; `None` where it is meant for an author whom nobody knows, or for content where an
/// account is judged. An action that protects targets has no address where there are none: nobody needs it.
pub(super) fn addresses(action: &PolicyAction, event: &Event) -> Option<Vec<Address>> {
    let author = event
        .author
        .as_ref()
        .map(|author| account(&author.account_id));
    let for_targets = |subject_for: &dyn Fn(&AccountId) -> Subject| {
        protected_accounts(event)
            .map(|target| Address {
                subject: subject_for(&target.account_id),
                beneficiary: Some(target.account_id.clone()),
            })
            .collect::<Vec<Address>>()
    };
    let to_all = |subject: Subject| {
        vec![Address {
            subject,
            beneficiary: None,
        }]
    };
    match action.subject {
        ActionSubject::Content if would_sanction_account(action.kind, &event.subject) => None,
        ActionSubject::Content => Some(to_all(event.subject.clone())),
        ActionSubject::Author => author.map(to_all),
        ActionSubject::ContentForTarget => Some(for_targets(&|_| event.subject.clone())),
        ActionSubject::Target => Some(for_targets(&account)),
        ActionSubject::AuthorForTarget => match author {
            Some(author) => Some(for_targets(&|_| author.clone())),
            None if protected_accounts(event).next().is_none() => Some(Vec::new()),
            None => None,
        },
    }
}

/// Returns whether what is meant for a piece of content would be done to a whole account, as where a name or a profile is
/// judged. A policy that means accounts says `on = "author"`, and lint holds it to that.
fn would_sanction_account(kind: ActionKind, subject: &Subject) -> bool {
    use ActionKind as K;
    let is_duty = matches!(
        kind,
        K::PreserveEvidence | K::ReportToAuthority | K::Escalate
    );
    subject.kind == SubjectKind::Account && !is_duty
}

/// Returns the targets to protect: not who is reported, and not the author, who may well mention themselves.
fn protected_accounts(event: &Event) -> impl Iterator<Item = &Account> {
    let author = event.author.as_ref().map(|author| &author.account_id);
    event
        .targets
        .iter()
        .filter(|target| is_protected(target.role))
        .map(|target| &target.account)
        .filter(move |account| Some(&account.account_id) != author)
}

/// Accounts have no revisions.
fn account(account: &AccountId) -> Subject {
    Subject {
        kind: SubjectKind::Account,
        id: SubjectId::from(account),
        revision: 0,
    }
}
