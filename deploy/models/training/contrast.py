"""English sentences of our own making that set apart what word lists cannot.

Content warning: the sentences are hateful where they must be. They hold no slur and follow no published test case.

The same predicates are said of groups (hate), of the reader (harassment), of things and professions (neither); they are
negated, quoted and condemned (neither); and the same groups are spoken of kindly or neutrally (neither). So neither a
group's name nor a harsh word alone decides. All three labels are known for every sentence.
"""

import random

GROUPS = (
    "women", "girls", "men", "Muslims", "Jews", "Christians", "Hindus", "Sikhs", "atheists", "immigrants", "refugees",
    "asylum seekers", "migrants", "foreigners", "Black people", "white people", "Asians", "Asian people", "Mexicans", "Latinos", "Indians",
    "Arabs", "Chinese people", "Africans", "Roma", "Turks", "Pakistanis", "gay people", "gays", "lesbians", "bisexuals",
    "trans people", "trans women", "queer people", "disabled people", "deaf people", "blind people", "wheelchair users", "autistic people",
    "people with Down syndrome", "old people", "homeless people", "indigenous people",
)
PROFESSIONS = (
    "bankers", "landlords", "referees", "politicians", "drivers", "lawyers", "gamers", "tourists", "influencers", "managers",
    "football fans", "dentists", "plumbers", "journalists", "recruiters", "cyclists", "billionaires", "estate agents",
)
THINGS = (
    "these shoes", "mosquitoes", "my exams", "the potholes", "these adverts", "the buses", "wasps", "the new phones", "weeds",
    "these servers", "the cheap headphones", "Mondays", "parking fines", "the update's bugs", "cockroaches", "spam calls",
)
DEROGATORY = (
    "are disgusting", "are worthless", "are garbage", "are stupid", "are the scum of the earth", "are a plague", "are vermin",
    "are parasites", "are nothing but trouble", "are a disease", "make me sick", "ruin everything", "are all liars", "are filthy",
    "are the worst", "are repulsive", "are a burden on everyone", "are beneath us", "are pathetic", "are a waste of space",
    "destroy everything they touch", "are inferior", "are not worth a thing", "deserve no respect", "are trash", "are dumb as rocks",
    "are evil", "are animals", "are rats", "are like cockroaches", "are subhuman", "are an infestation", "stink", "are a joke",
    "cannot be trusted", "are born criminals", "are lazy thieves", "spoil this country", "are freaks", "are an abomination",
)
HOSTILE_ACTS = (
    "should be wiped out", "should all be locked up", "need to be beaten", "deserve to die", "should be thrown out of the country",
    "should be kicked out of our schools", "should not be allowed to vote", "should be put down", "must be exterminated",
    "should disappear", "do not belong here", "should never be hired", "deserve a kicking", "have to be stopped by force",
    "should burn", "ought to be shot", "should be kept away from our children", "should go back to where they came from",
    "should have no rights", "must be kept in their place",
)
FIRST_PERSON = (
    "I hate {}", "I can't stand {}", "I despise {}", "I want to hurt {}", "I will make {} suffer", "we should get rid of all {}",
    "God, how I loathe {}", "let's go and beat up some {}", "nobody wants {} around", "who would ever respect {}?",
    "why are there so many {} here, send them away", "keep {} out of our town", "never trust {}", "no more {} in this country",
    "the world would be better without {}", "I wish all {} were dead", "someone should shut {} up for good", "death to {}",
    "I would never let {} into my house, dirty lot", "there is nothing good about {}",
)
KIND = (
    "are welcome here", "deserve the same rights as everyone", "are my neighbours", "make great friends", "are wonderful",
    "taught me a lot", "run a lovely bakery in our street", "are part of our community", "are celebrating tonight", "have a long history here",
    "won the prize this year", "should be heard", "deserve respect", "need better access to health care", "are just people",
    "organised the street festival", "are underrepresented in parliament", "joined our choir", "are as different as anyone else",
    "make this city better", "were interviewed for the study", "often face discrimination", "are strong and brave", "volunteer every weekend",
)
KIND_FIRST_PERSON = (
    "I love {}", "I am proud to work with {}", "I admire {}", "we had dinner with some {} yesterday", "I grew up among {}",
    "this film is about {}", "the museum opened a room on {}", "my book club reads stories by {}", "we support {}",
    "happy holidays to all {} out there", "I would like to learn more from {}", "as one of many {} in this town I feel at home",
    "good news for {}: the law has passed", "are there any {} in this group?", "I wrote my thesis about {} in the labour market",
)
CONDEMNING = (
    "nobody should say that {group} {bad}", "it is wrong to claim that {group} {bad}", "people who think {group} {bad} need help",
    "\"{group} {bad}\" is a sentence I never want to hear again", "he said {group} {bad} and was rightly banned",
    "I am tired of the lie that {group} {bad}", "how can anyone believe that {group} {bad}? shameful", "stop telling children that {group} {bad}",
    "I would never say that {group} {bad}", "I don't think {group} {bad} at all", "if you believe {group} {bad}, leave this forum",
    "saying {group} {bad} is racist or worse, and untrue", "my teacher explained why it is false that {group} {bad}",
    "reported: a user wrote that {group} {bad}", "bigots who shout that {group} {bad} are cowards",
)
ABUSE = (
    "you {bad}", "you and your stupid face {bad}", "hey @user, you {bad}", "shut up, you {bad}", "everyone knows you {bad}",
    "honestly, you {bad}, log off", "look at you, you {bad}", "you moron, you {bad}",
)
ABUSE_WHOLE = (
    "you are a complete idiot", "shut up you clown", "nobody likes you, loser", "go away you ugly pig", "what a pathetic loser you are",
    "I hope you fail, you moron", "kill yourself", "you should be ashamed, imbecile", "your mother should have left you in a bin",
    "I will find you and break your legs", "you are so dumb it hurts", "cry more, you fat baby", "what a creep you are", "get lost, jerk",
)
EVERYDAY = (
    "see you at six", "the match starts in ten minutes", "can someone send me the notes?", "this recipe needs more salt", "I damn well loved that film",
    "what the hell was that ending", "so bloody tired today", "my cat knocked over the plant again", "the train is late, as always",
    "this song is stuck in my head", "happy birthday!", "who else is watching this in the rain?", "the second half of the video is the best",
    "I disagree with the article, the numbers are old", "does this come in blue?", "thanks for the tutorial, it fixed my problem", "lol same",
    "that goal was insane", "my phone died at the worst moment", "I need coffee", "how do you get past level nine?", "great light in this photo",
    "what camera do you use?", "the library closes early on Fridays", "I finished the marathon!", "is the shop open on Sunday?", "that joke killed me",
    "we lost again, I could scream", "congrats on the new job", "my sister starts school tomorrow", "first day of the holidays", "I am so sorry for your loss",
)
ADVERTS = (
    "free gift cards, click the link in my profile", "subscribe to my channel and win a phone", "earn $500 a day from home, message me",
    "you have been selected for a cash prize, call now", "cheap followers, fast delivery, visit www.boost.example",
    "limited offer: 90% off watches at http://deals.example", "text WIN to 80080 to claim your reward", "hot singles near you, sign up free",
    "double your bitcoin in one day, ask me how", "check out my new mixtape, link below, like and share", "get your loan approved in 5 minutes, apply here",
    "congratulations, your number won our weekly draw, reply YES", "please visit my page and follow me, I follow back everyone",
)
OPENERS = ("", "", "", "", "", "honestly, ", "look, ", "fact: ", "imo ", "ok so ", "as I always say, ", "the truth is that ", "and yes, ", "again: ", "sorry but ", "let me be clear: ")
CLOSERS = ("", "", "", "", "", ".", "!", "!!", " and that's it", ", end of story", " tbh", " lol", ".", "...", ", if you ask me", " #justsaying", " every single time")
HATE, HARASSMENT, SPAM, NONE = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)


def sentences(count: int, seed: int) -> list[tuple[str, tuple[int, int, int]]]:
    """Returns `count` different sentences with their labels for hate, harassment and spam."""
    pick = random.Random(seed)
    found: dict[str, tuple[int, int, int]] = {}
    while len(found) < count:
        text, labels = pick.choices(MAKERS, SHARES)[0](pick)
        found.setdefault(disturb(pick, pick.choice(OPENERS) + text + pick.choice(CLOSERS)), labels)
    return list(found.items())


def bad(pick: random.Random) -> str:
    return pick.choice(DEROGATORY if pick.random() < 0.6 else HOSTILE_ACTS)


def hate(pick: random.Random):
    group = pick.choice(GROUPS)
    if pick.random() < 0.35:
        return pick.choice(FIRST_PERSON).format(group), HATE
    reach = pick.choice(("", "", "all ", "those ", "these ", "most "))
    return f"{reach}{group} {bad(pick)}", HATE


def kind(pick: random.Random):
    group = pick.choice(GROUPS)
    if pick.random() < 0.4:
        return pick.choice(KIND_FIRST_PERSON).format(group), NONE
    return f"{pick.choice(('', '', 'all ', 'the ', 'many ', 'these '))}{group} {pick.choice(KIND)}", NONE


def condemning(pick: random.Random):
    return pick.choice(CONDEMNING).format(group=pick.choice(GROUPS), bad=bad(pick)), NONE


def elsewhere(pick: random.Random):
    target = pick.choice(PROFESSIONS + THINGS)
    if pick.random() < 0.35:
        return pick.choice(FIRST_PERSON).format(target), NONE
    return f"{target} {pick.choice(DEROGATORY)}", NONE


def abuse(pick: random.Random):
    if pick.random() < 0.4:
        return pick.choice(ABUSE_WHOLE), HARASSMENT
    return pick.choice(ABUSE).format(bad=bad(pick)), HARASSMENT


def everyday(pick: random.Random):
    return f"{pick.choice(EVERYDAY)} {pick.choice(EVERYDAY)}" if pick.random() < 0.5 else pick.choice(EVERYDAY), NONE


def advert(pick: random.Random):
    return f"{pick.choice(ADVERTS)} {pick.choice(ADVERTS + EVERYDAY)}", SPAM


MAKERS = (hate, kind, condemning, elsewhere, abuse, everyday, advert)
SHARES = (0.38, 0.20, 0.14, 0.10, 0.08, 0.07, 0.03)


def disturb(pick: random.Random, text: str) -> str:
    """Capitals, a lost letter or two swapped ones, as people write."""
    choice = pick.random()
    if choice < 0.06:
        return text.upper()
    if choice < 0.4:
        return text[:1].upper() + text[1:]
    if choice < 0.5 and len(text) > 8:
        at = pick.randrange(1, len(text) - 2)
        return text[:at] + (text[at + 1 :] if pick.random() < 0.5 else text[at + 1] + text[at] + text[at + 2 :])
    return text
