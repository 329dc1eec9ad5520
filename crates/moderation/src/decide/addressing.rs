//! To whom and what an action is done.

use super::ages::is_protected;
use crate::policy::ActionSubject;
use crate::{Account, AccountId, Event, Subject, SubjectId, SubjectKind};

/// The subject of one action, and whom it protects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) subject: Subject,
    pub(super) beneficiary: Option<AccountId>,
}

/// Returns every address of an action; `None` where it is meant for an author whom nobody knows. An action that protects
/// targets has no address where there are none: nobody needs it.
pub(super) fn addresses(subject: ActionSubject, event: &Event) -> Option<Vec<Address>> {
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
    match subject {
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
