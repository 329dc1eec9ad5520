//! The word lists, as numbers on the wire. Both sides list the same words under the same names.

use crate::v1;

/// A word of the vocabulary that has a number on the wire.
pub trait Word: Copy {
    /// Finds the word of a number. 0, which says nothing, is the word for the unknown where the list has one; `None`
    /// where it has none, and for numbers that this version does not know.
    fn from_number(number: i32) -> Option<Self>;

    /// Returns the number.
    fn number(self) -> i32;
}

macro_rules! words {
    ($(open $name:ident { $($variant:ident),+ $(,)? })+) => {
        $(words!(@define $name { $($variant),+ } { Unrecognised });)+
    };
    ($(closed $name:ident { $($variant:ident),+ $(,)? })+) => {
        $(words!(@define $name { $($variant),+ } {});)+
    };
    (@define $name:ident { $($variant:ident),+ } { $($other:ident)? }) => {
        impl From<moderation::$name> for v1::$name {
            fn from(word: moderation::$name) -> Self {
                match word {
                    $(moderation::$name::$other => Self::Unspecified,)?
                    $(moderation::$name::$variant => Self::$variant,)+
                }
            }
        }

        impl Word for moderation::$name {
            fn from_number(number: i32) -> Option<Self> {
                match v1::$name::try_from(number).ok()? {
                    v1::$name::Unspecified => None$(.or(Some(Self::$other)))?,
                    $(v1::$name::$variant => Some(Self::$variant),)+
                }
            }

            fn number(self) -> i32 {
                v1::$name::from(self) as i32
            }
        }
    };
}

words! {
    open EventKind { Publish, Edit, Delete, Message, React, Follow, Report, AccountChange, LiveSegment }
    open Surface {
        Video, Image, Story, Comment, Live, LiveChat, DirectMessage, Profile, Username, Community, Search,
    }
    open SubjectKind { Content, Account, Conversation, Community, LiveSession }
    open TargetRole { Recipient, Mentioned, RepliedTo, ContentOwner, Depicted, Followed, Reported }
    open Relationship { None, Follows, Mutual, Blocked, Guardian, Unknown }
    open AgeState { Unknown, Declared, Pending, Assured, Reset, Blocked }
    open ContentType { Text, Image, Video, Audio, SyntheticMedia, Product, App, Other }
    open ContextRelation { Reply, Quote, Repost, Duet, Stitch }
    open Audience { Public, Followers, Mutuals, Community, Participants, AuthorOnly }
    open PublicationState { Pending, Published }
    open DetectionSource { OwnInitiative, UserReport, TrustedFlagger, Authority, Appeal }
    open ReportChannel { InApp, WebForm, Email, Api, LegalNotice }
    open PartOrigin { Title, Caption, Body, Transcript, Ocr, Hashtag, Username, Bio, Media }
    open CauseKind { Ingest, Rescore, Report, BehaviourSignal, HumanReview, Appeal, AgeChange, Sweep }
}

words! {
    closed PartCondition { Readable, Reference, Malformed, InvalidUtf8, Oversized }
    closed Support { Supported, Experimental, Unsupported }
    closed BundleRole { Serving, Canary, Shadow }
    closed DirectMessageScope { Reported, All }
    closed DecidedBy { FullyAutomated, PartiallyAutomated, NotAutomated }
    closed ActionKind {
        Label, Interstitial, AgeRestrict, Demote, FilterForTarget, Disable, Remove, NudgeAuthor, LimitComments,
        LimitContact, WarnAuthor, Strike, RestrictFeature, SuspendMonetisation, Suspend, Terminate, NotifyTarget,
        OfferSupport, PreserveEvidence, ReportToAuthority, Escalate,
    }
    closed Operation { Apply, Reverse }
    closed ActionOrigin { Automated, Reviewer, Appeal, BrakeRelease }
    closed Severity { Low, Medium, High, Critical }
    closed RuleMode { Shadow, Canary, Live, Paused }
    closed OnMissing { Review, Interim, Allow }
    closed ReviewOperation { Open, Cancel }
    closed Sensitivity { Ordinary, Graphic, Restricted }
    closed Trigger { Score, MissingReview, MissingInterim, UnsupportedReview }
    closed Flag {
        Salvaged, BrokenPart, UnknownEnumValue, MissingField, ClockInFuture, TimedOut, InferenceFailed, LimitExceeded,
    }
}
