//! What each part of the schedule looks like as an event.

use moderation::Severity;
use moderation_wire::v1;

use super::dice::{Dice, Purpose};
use super::draft::{Draft, text_part};
use super::grammar::{self, Tone};
use super::people::Person;
use super::schedule::{BLOCK, Part, Slot};
use super::truth::{Issue, Violation};

/// Blocks through which a campaign keeps its victim, or fans their idol.
const CAMPAIGN_BLOCKS: u64 = 4;
/// Videos that comments are about.
const VIDEOS: u32 = 5_000;

const HARASSMENT: Option<Violation> = Violation::new(Issue::BullyingHarassment, Severity::Medium);
const THREAT: Option<Violation> = Violation::new(Issue::BullyingHarassment, Severity::High);
const HATE: Option<Violation> = Violation::new(Issue::HateSpeech, Severity::High);
const SPAM: Option<Violation> = Violation::new(Issue::Spam, Severity::Low);
const APPROACH: Option<Violation> = Violation::new(Issue::MinorSafety, Severity::High);
const GROOMING: Option<Violation> = Violation::new(Issue::MinorSafety, Severity::Critical);

/// Drafts the event of a slot that follows up on nothing.
pub(super) fn draft(seed: u64, index: u64, slot: Slot) -> Draft {
    let mut dice = Dice::new(seed, Purpose::Event, index);
    let dice = &mut dice;
    match slot.part {
        Part::Repeated => repeated(seed, index, dice),
        Part::Message => message(seed, index, dice),
        Part::Reaction => reaction(seed, index, dice),
        Part::Follow => follow(seed, index, dice),
        Part::AccountChange => account_change(seed, index, dice),
        Part::LiveSegment => live_segment(seed, index, dice),
        Part::Search => search(seed, index, dice),
        Part::Insult => aimed(seed, index, dice, Tone::Insult, HARASSMENT),
        Part::Threat => aimed(seed, index, dice, Tone::Threat, THREAT),
        Part::Hate => posted(seed, index, dice, Tone::Hate, HATE),
        Part::Spam => posted(seed, index, dice, Tone::Spam, SPAM),
        Part::CounterSpeech => posted(seed, index, dice, Tone::CounterSpeech, None),
        Part::PileOn => at_one(seed, index, dice, slot),
        Part::Fans => at_one(seed, index, dice, slot),
        Part::Banter => banter(seed, index, dice),
        Part::Ladder => ladder(seed, index, dice, slot),
        Part::CodeSwitched => code_switched(seed, index, dice),
        _ => posted(seed, index, dice, Tone::Chatter, None),
    }
}

/// A post, video, story or comment to nobody in particular.
fn posted(
    seed: u64,
    index: u64,
    dice: &mut Dice,
    tone: Tone,
    violation: Option<Violation>,
) -> Draft {
    let author = Person::anybody(seed, dice);
    let surface = dice.weighted(&[
        (44, v1::Surface::Comment),
        (18, v1::Surface::Video),
        (9, v1::Surface::Image),
        (6, v1::Surface::Story),
        (14, v1::Surface::LiveChat),
        (9, v1::Surface::Community),
    ]);
    let text = grammar::text(dice, author.language, tone);
    let mut draft = Draft::content(index, scenario(tone), surface, &author);
    dress(&mut draft, dice, &author, text);
    if surface == v1::Surface::Comment {
        // Most of what is said under a video is said to whoever posted it.
        let owner = Person::anybody(seed, dice);
        let relationship = dice.weighted(&[
            (5, v1::Relationship::None),
            (4, v1::Relationship::Follows),
            (1, v1::Relationship::Unknown),
        ]);
        draft.aim(&owner, v1::TargetRole::ContentOwner, relationship);
        reply_to_video(&mut draft, dice);
    }
    if dice.chance(150) {
        draft.fact("strikes_90d", i64::from(dice.below(3)));
    }
    draft.violating(violation)
}

/// Adds the parts that a surface has.
fn dress(draft: &mut Draft, dice: &mut Dice, author: &Person, text: String) {
    let (origin, with_media) = match draft.surface() {
        v1::Surface::Video | v1::Surface::Image | v1::Surface::Story => {
            (v1::PartOrigin::Caption, true)
        }
        _ => (v1::PartOrigin::Body, false),
    };
    let declared = if dice.chance(600) {
        grammar::tag(author.language)
    } else {
        ""
    };
    draft.push_part(text_part(origin, text, declared));
    if !with_media {
        return;
    }
    if draft.surface() == v1::Surface::Video && dice.chance(250) {
        let speech = grammar::text(dice, author.language, Tone::Speech);
        draft.push_part(text_part(v1::PartOrigin::Transcript, speech, ""));
    }
    if dice.chance(150) {
        draft.push_part(text_part(
            v1::PartOrigin::Ocr,
            grammar::text(dice, author.language, Tone::Chatter),
            "",
        ));
    }
    if dice.chance(200) {
        draft.push_part(text_part(v1::PartOrigin::Hashtag, grammar::name(dice), ""));
    }
    draft.push_media();
}

fn repeated(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let author = Person::anybody(seed, dice);
    let surface = if dice.chance(300) {
        v1::Surface::LiveChat
    } else {
        v1::Surface::Comment
    };
    let mut draft = Draft::content(index, "repeated", surface, &author);
    draft.push_part(text_part(
        v1::PartOrigin::Body,
        grammar::repeated(dice).to_owned(),
        "",
    ));
    reply_to_video(&mut draft, dice);
    draft
}

/// A comment or community post against a person.
fn aimed(
    seed: u64,
    index: u64,
    dice: &mut Dice,
    tone: Tone,
    violation: Option<Violation>,
) -> Draft {
    let (author, target) = (Person::anybody(seed, dice), Person::anybody(seed, dice));
    let surface = dice.weighted(&[
        (7, v1::Surface::Comment),
        (2, v1::Surface::LiveChat),
        (1, v1::Surface::Community),
    ]);
    let text = grammar::text(dice, author.language, tone);
    let mut draft = Draft::content(index, scenario(tone), surface, &author);
    draft.push_part(text_part(
        v1::PartOrigin::Body,
        text,
        grammar::tag(author.language),
    ));
    let role = dice.weighted(&[
        (4, v1::TargetRole::ContentOwner),
        (3, v1::TargetRole::RepliedTo),
        (2, v1::TargetRole::Mentioned),
        (1, v1::TargetRole::Depicted),
    ]);
    let relationship = dice.weighted(&[
        (6, v1::Relationship::None),
        (2, v1::Relationship::Follows),
        (1, v1::Relationship::Blocked),
        (1, v1::Relationship::Unknown),
    ]);
    draft.aim(&target, role, relationship);
    reply_to_video(&mut draft, dice);
    draft.violating(violation)
}

/// A member of a crowd around one account, hostile or devoted.
fn at_one(seed: u64, index: u64, dice: &mut Dice, slot: Slot) -> Draft {
    let hostile = slot.part == Part::PileOn;
    let campaign = index / BLOCK / CAMPAIGN_BLOCKS * 2 + u64::from(hostile);
    let centre = Person::anybody(seed, &mut Dice::new(seed, Purpose::Campaign, campaign));
    let member = Person::anybody(seed, dice);
    let (tone, scenario) = if hostile {
        (Tone::Insult, "pile_on")
    } else {
        (Tone::Praise, "fans")
    };
    let text = grammar::text(dice, member.language, tone);
    let mut draft = Draft::content(index, scenario, v1::Surface::Comment, &member);
    draft.push_part(text_part(v1::PartOrigin::Body, text, ""));
    draft.aim(
        &centre,
        v1::TargetRole::ContentOwner,
        v1::Relationship::None,
    );
    if hostile {
        draft.fact("pile_on_level", slot.ordinal as i64);
    }
    reply_to_video(&mut draft, dice);
    draft.violating(if hostile { HARASSMENT } else { None })
}

fn banter(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let (author, friend) = (Person::anybody(seed, dice), Person::anybody(seed, dice));
    let text = grammar::text(dice, author.language, Tone::Banter);
    let mut draft = Draft::content(index, "banter", v1::Surface::Comment, &author);
    draft.push_part(text_part(v1::PartOrigin::Body, text, ""));
    draft.aim(&friend, v1::TargetRole::RepliedTo, v1::Relationship::Mutual);
    draft
}

fn message(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let (author, friend) = (Person::anybody(seed, dice), Person::anybody(seed, dice));
    let text = grammar::text(dice, author.language, Tone::Chatter);
    let mut draft = Draft::message(index, "message", &author, &friend, v1::Relationship::Mutual);
    draft.push_part(text_part(v1::PartOrigin::Body, text, ""));
    draft
}

fn ladder(seed: u64, index: u64, dice: &mut Dice, slot: Slot) -> Draft {
    // One pair of people for the whole block, whatever the step.
    let mut pair = Dice::new(seed, Purpose::Campaign, u64::MAX - index / BLOCK);
    let adult = Person::aged(seed, &mut pair, |age| age >= 18);
    let minor = Person::aged(seed, &mut pair, |age| age < 16);
    let text = grammar::text(dice, minor.language, Tone::Ladder(slot.ordinal));
    let violation = match slot.ordinal {
        0..2 => None,
        2..5 => APPROACH,
        _ => GROOMING,
    };
    let mut draft = Draft::message(index, "ladder", &adult, &minor, v1::Relationship::None);
    draft.push_part(text_part(v1::PartOrigin::Body, text, ""));
    draft.violating(violation)
}

fn code_switched(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let (author, target) = (Person::anybody(seed, dice), Person::anybody(seed, dice));
    let hurts = dice.chance(400);
    let text = grammar::code_switched(dice, author.language, hurts);
    let mut draft = Draft::content(index, "code_switched", v1::Surface::Comment, &author);
    draft.push_part(text_part(
        v1::PartOrigin::Body,
        text,
        grammar::tag(author.language),
    ));
    draft.aim(&target, v1::TargetRole::RepliedTo, v1::Relationship::None);
    draft.violating(if hurts { HARASSMENT } else { None })
}

fn reaction(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let (author, owner) = (Person::anybody(seed, dice), Person::anybody(seed, dice));
    let surface = if dice.chance(700) {
        v1::Surface::Video
    } else {
        v1::Surface::Comment
    };
    let mut draft =
        Draft::content(index, "reaction", surface, &author).of_kind(v1::EventKind::React);
    draft.aim(
        &owner,
        v1::TargetRole::ContentOwner,
        v1::Relationship::Follows,
    );
    reply_to_video(&mut draft, dice);
    draft
}

fn follow(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let (author, followed) = (Person::anybody(seed, dice), Person::anybody(seed, dice));
    let mut draft = Draft::account(index, "follow", v1::Surface::Profile, &followed, &author)
        .of_kind(v1::EventKind::Follow);
    draft.aim(&followed, v1::TargetRole::Followed, v1::Relationship::None);
    draft
}

fn account_change(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let author = Person::anybody(seed, dice);
    let renames = dice.chance(400);
    let surface = if renames {
        v1::Surface::Username
    } else {
        v1::Surface::Profile
    };
    let mut draft = Draft::account(index, "account_change", surface, &author, &author)
        .of_kind(v1::EventKind::AccountChange);
    draft.push_part(if renames {
        text_part(v1::PartOrigin::Username, grammar::name(dice), "")
    } else {
        text_part(
            v1::PartOrigin::Bio,
            grammar::text(dice, author.language, Tone::Chatter),
            "",
        )
    });
    draft
}

fn live_segment(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let author = Person::anybody(seed, dice);
    let text = grammar::text(dice, author.language, Tone::Speech);
    let mut draft = Draft::live(index, &author, u64::from(dice.below(500)));
    draft.push_part(text_part(
        v1::PartOrigin::Transcript,
        text,
        grammar::tag(author.language),
    ));
    draft
}

fn search(seed: u64, index: u64, dice: &mut Dice) -> Draft {
    let author = Person::anybody(seed, dice);
    let mut draft = Draft::content(index, "search", v1::Surface::Search, &author)
        .seen_by(v1::Audience::AuthorOnly);
    draft.push_part(text_part(
        v1::PartOrigin::Body,
        grammar::text(dice, author.language, Tone::Chatter),
        "",
    ));
    draft
}

fn reply_to_video(draft: &mut Draft, dice: &mut Dice) {
    draft.reply(format!("v-{}", dice.below(VIDEOS)));
}

fn scenario(tone: Tone) -> &'static str {
    match tone {
        Tone::Chatter | Tone::Speech => "chatter",
        Tone::Praise => "fans",
        Tone::Insult => "insult",
        Tone::Threat => "threat",
        Tone::Hate => "hate",
        Tone::CounterSpeech => "counter_speech",
        Tone::Spam => "spam",
        Tone::Banter => "banter",
        Tone::Ladder(_) => "ladder",
    }
}
