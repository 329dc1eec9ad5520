//! The closed word lists. Each word is written the same in policies, metrics, reports and (upper case, prefixed) protobuf.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A word that is not on the list it was looked up in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {list}; expected one of {allowed}")]
pub struct UnknownWord {
    /// The name of the list.
    pub list: &'static str,
    /// The words on it, separated by commas.
    pub allowed: String,
}

/// Defines a word list. `open` lists are filled in by producers and get a variant for whatever we do not know (also for
/// what is absent); policies read it as their strictest cell.
macro_rules! words {
    ($(#[$meta:meta])* open $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        words!(@define $(#[$meta])* $name { $($(#[$vmeta])* $variant = $word),+ } {
            /// Absent, or a value that this version does not know.
            #[default] #[serde(skip)] Unrecognised = "unrecognised"
        });
    };
    ($(#[$meta:meta])* closed $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        words!(@define $(#[$meta])* $name { $($(#[$vmeta])* $variant = $word),+ } {});
    };
    (@define $(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ }
        { $($(#[$ometa:meta])* $other:ident = $oword:literal)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        $(#[derive(Default)] #[doc = concat!("Unknown values read as `", $oword, "`.")])?
        pub enum $name {
            $($(#[$ometa])* $other,)?
            $($(#[$vmeta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word that may be written.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$other => $oword,)?
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| UnknownWord {
                    list: stringify!($name),
                    allowed: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

words! {
    /// What the author or the platform did.
    open EventKind {
        /// New content.
        Publish = "publish",
        /// A new revision of content.
        Edit = "edit",
        /// Content is gone; what waits for it is void.
        Delete = "delete",
        /// A message in a conversation.
        Message = "message",
        /// A reaction, such as a like.
        React = "react",
        /// One account follows another.
        Follow = "follow",
        /// Somebody reported the subject.
        Report = "report",
        /// A profile, name or setting changed.
        AccountChange = "account_change",
        /// A stretch of a live stream.
        LiveSegment = "live_segment",
    }
}

words! {
    /// Where it happened.
    open Surface {
        /// A video.
        Video = "video",
        /// An image post.
        Image = "image",
        /// A story.
        Story = "story",
        /// A comment.
        Comment = "comment",
        /// A live stream.
        Live = "live",
        /// The chat beside a live stream.
        LiveChat = "live_chat",
        /// A private message.
        DirectMessage = "direct_message",
        /// A profile page.
        Profile = "profile",
        /// An account's name.
        Username = "username",
        /// A community's space.
        Community = "community",
        /// A search query or result.
        Search = "search",
    }
}

words! {
    /// What kind of thing is judged or acted on.
    open SubjectKind {
        /// A post, comment, message or the like.
        Content = "content",
        /// An account.
        Account = "account",
        /// A conversation.
        Conversation = "conversation",
        /// A community.
        Community = "community",
        /// A live session.
        LiveSession = "live_session",
    }
}

words! {
    /// Why an account is a target of the event.
    open TargetRole {
        /// Receives it.
        Recipient = "recipient",
        /// Is named in it.
        Mentioned = "mentioned",
        /// Wrote what it answers.
        RepliedTo = "replied_to",
        /// Owns what it is about.
        ContentOwner = "content_owner",
        /// Is shown in it.
        Depicted = "depicted",
        /// Is followed by it.
        Followed = "followed",
        /// Is reported by it.
        Reported = "reported",
    }
}

words! {
    /// What the author is to the target.
    open Relationship {
        /// Strangers.
        None = "none",
        /// The author follows the target.
        Follows = "follows",
        /// They follow each other.
        Mutual = "mutual",
        /// The target blocked the author.
        Blocked = "blocked",
        /// One is the other's guardian.
        Guardian = "guardian",
        /// The platform does not know.
        Unknown = "unknown",
    }
}

words! {
    /// State of age assurance.
    open AgeState {
        /// Nothing is known.
        Unknown = "unknown",
        /// Only the holder's word.
        Declared = "declared",
        /// A check is under way.
        Pending = "pending",
        /// Checked.
        Assured = "assured",
        /// A check was withdrawn.
        Reset = "reset",
        /// The account failed it.
        Blocked = "blocked",
    }
}

words! {
    /// Kind of content, as the EU statement-of-reasons schema lists it.
    open ContentType {
        /// Text.
        Text = "text",
        /// Image.
        Image = "image",
        /// Video.
        Video = "video",
        /// Audio.
        Audio = "audio",
        /// Synthetic media.
        SyntheticMedia = "synthetic_media",
        /// Product.
        Product = "product",
        /// App.
        App = "app",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// How content relates to its parent.
    open ContextRelation {
        /// Answers it.
        Reply = "reply",
        /// Quotes it.
        Quote = "quote",
        /// Repeats it.
        Repost = "repost",
        /// Plays beside it.
        Duet = "duet",
        /// Continues a piece of it.
        Stitch = "stitch",
    }
}

words! {
    /// Who can see the content.
    open Audience {
        /// Everybody.
        Public = "public",
        /// The author's followers.
        Followers = "followers",
        /// Accounts that follow each other.
        Mutuals = "mutuals",
        /// Members of a community.
        Community = "community",
        /// Participants of a conversation.
        Participants = "participants",
        /// The author alone.
        AuthorOnly = "author_only",
    }
}

words! {
    /// Whether others can already see it.
    open PublicationState {
        /// Waits for the decision.
        Pending = "pending",
        /// Is visible.
        Published = "published",
    }
}

words! {
    /// What drew attention to the subject.
    open DetectionSource {
        /// The platform looked by itself.
        OwnInitiative = "own_initiative",
        /// A user reported it.
        UserReport = "user_report",
        /// A trusted flagger reported it.
        TrustedFlagger = "trusted_flagger",
        /// An authority reported it.
        Authority = "authority",
        /// An appeal.
        Appeal = "appeal",
    }
}

words! {
    /// The way by which a report arrived.
    open ReportChannel {
        /// Inside the app.
        InApp = "in_app",
        /// A web form.
        WebForm = "web_form",
        /// Electronic mail.
        Email = "email",
        /// An interface for machines.
        Api = "api",
        /// A legal notice.
        LegalNotice = "legal_notice",
    }
}

words! {
    /// Where in the content a part of text comes from.
    open PartOrigin {
        /// A title.
        Title = "title",
        /// A caption.
        Caption = "caption",
        /// The body.
        Body = "body",
        /// Speech, written down.
        Transcript = "transcript",
        /// Text read off an image.
        Ocr = "ocr",
        /// A hashtag.
        Hashtag = "hashtag",
        /// An account's name.
        Username = "username",
        /// A profile's description.
        Bio = "bio",
        /// A reference to media.
        Media = "media",
    }
}

words! {
    /// Whether a part could be read.
    closed PartCondition {
        /// Text that was read.
        Readable = "readable",
        /// A reference to media, not opened by text stages.
        Reference = "reference",
        /// Bytes that are no part at all.
        Malformed = "malformed",
        /// Text that is not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// Longer than the limit.
        Oversized = "oversized",
    }
}

words! {
    /// What a model promises for a label in a language.
    closed Support {
        /// May act.
        Supported = "supported",
        /// May ask a person.
        Experimental = "experimental",
        /// Says nothing.
        Unsupported = "unsupported",
    }
}

words! {
    /// What a bundle does in a deployment.
    closed BundleRole {
        /// Its scores decide.
        Serving = "serving",
        /// Its scores decide for a share of authors.
        Canary = "canary",
        /// Its scores are recorded only.
        Shadow = "shadow",
    }
}

words! {
    /// Which direct messages are scored.
    closed DirectMessageScope {
        /// Only those that somebody reported.
        Reported = "reported",
        /// All of them.
        All = "all",
    }
}

words! {
    /// What made the pipeline decide.
    open CauseKind {
        /// The event itself.
        Ingest = "ingest",
        /// Another model looked again.
        Rescore = "rescore",
        /// A report.
        Report = "report",
        /// A pattern in behaviour.
        BehaviourSignal = "behaviour_signal",
        /// A reviewer's verdict.
        HumanReview = "human_review",
        /// An appeal's verdict.
        Appeal = "appeal",
        /// An age became known.
        AgeChange = "age_change",
        /// A search through old content.
        Sweep = "sweep",
    }
}

words! {
    /// How much of a decision a machine made.
    closed DecidedBy {
        /// All of it.
        FullyAutomated = "fully_automated",
        /// Some of it.
        PartiallyAutomated = "partially_automated",
        /// None of it.
        NotAutomated = "not_automated",
    }
}

words! {
    /// What an enforcement action does.
    closed ActionKind {
        /// Shows a label on the subject.
        Label = "label",
        /// Puts a warning before the subject.
        Interstitial = "interstitial",
        /// Hides the subject from minors.
        AgeRestrict = "age_restrict",
        /// Recommends the subject less.
        Demote = "demote",
        /// Hides the subject from its target.
        FilterForTarget = "filter_for_target",
        /// Hides the subject in some territories.
        Disable = "disable",
        /// Hides the subject from everybody.
        Remove = "remove",
        /// Asks the author to think again.
        NudgeAuthor = "nudge_author",
        /// Limits who may comment.
        LimitComments = "limit_comments",
        /// Limits contact with a target.
        LimitContact = "limit_contact",
        /// Warns the author.
        WarnAuthor = "warn_author",
        /// Counts a strike.
        Strike = "strike",
        /// Takes a feature away.
        RestrictFeature = "restrict_feature",
        /// Stops payments.
        SuspendMonetisation = "suspend_monetisation",
        /// Suspends the account.
        Suspend = "suspend",
        /// Ends the account.
        Terminate = "terminate",
        /// Tells the target.
        NotifyTarget = "notify_target",
        /// Offers help.
        OfferSupport = "offer_support",
        /// Keeps the evidence.
        PreserveEvidence = "preserve_evidence",
        /// Reports to an authority.
        ReportToAuthority = "report_to_authority",
        /// Hands over to specialists.
        Escalate = "escalate",
    }
}

words! {
    /// Whether an action is done or undone.
    closed Operation {
        /// Does it.
        Apply = "apply",
        /// Undoes it.
        Reverse = "reverse",
    }
}

words! {
    /// Who made an action happen.
    closed ActionOrigin {
        /// The policy.
        Automated = "automated",
        /// A reviewer.
        Reviewer = "reviewer",
        /// An appeal.
        Appeal = "appeal",
        /// The release of a held action.
        BrakeRelease = "brake_release",
    }
}

words! {
    /// How bad an issue is.
    closed Severity {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical",
    }
}

words! {
    /// Whether a rule acts.
    closed RuleMode {
        /// Records what it would do.
        Shadow = "shadow",
        /// Acts for a share.
        Canary = "canary",
        /// Acts.
        Live = "live",
        /// Does nothing.
        Paused = "paused",
    }
}

words! {
    /// What a rule does where the score it needs is absent.
    closed OnMissing {
        /// Asks a person.
        Review = "review",
        /// Takes the rule's interim action.
        Interim = "interim",
        /// Lets it pass.
        Allow = "allow",
    }
}

words! {
    /// What a review request asks for.
    closed ReviewOperation {
        /// Look at the subject.
        Open = "open",
        /// The subject is gone; forget what waits for it.
        Cancel = "cancel",
    }
}

words! {
    /// How harmful looking at an item may be for the reviewer.
    closed Sensitivity {
        /// Like most content.
        Ordinary = "ordinary",
        /// Graphic.
        Graphic = "graphic",
        /// For trained staff alone.
        Restricted = "restricted",
    }
}

words! {
    /// What was unusual about an event. No flag stops a decision.
    closed Flag {
        /// The record did not parse as a whole; what could be read was decided.
        Salvaged = "salvaged",
        /// A part could not be read.
        BrokenPart = "broken_part",
        /// A word that this version does not know.
        UnknownEnumValue = "unknown_enum_value",
        /// Something that every event should have is absent.
        MissingField = "missing_field",
        /// The producer's clock was ahead; the broker's was used.
        ClockInFuture = "clock_in_future",
        /// Scoring took too long.
        TimedOut = "timed_out",
        /// Scoring failed.
        InferenceFailed = "inference_failed",
        /// More parts, targets or facts than the limits allow.
        LimitExceeded = "limit_exceeded",
    }
}
