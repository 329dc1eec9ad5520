//! English and German.

use super::Phrases;

pub(in crate::demo::traffic) const ENGLISH: Phrases = Phrases {
    language: "en",
    space: " ",
    topics: &[
        "the new trail by the lake", "this pasta recipe", "the match last night", "my old guitar", "the school play",
        "the season finale", "our garden", "the night bus", "a second-hand bike", "the science fair", "that dance",
        "the chess club", "my grandmother's soup", "the train to the coast", "this phone camera", "the library",
    ],
    chatter: &[
        "I finally tried {} and it was worth the wait.", "Does anybody know more about {}?", "Here is how I got started with {}.",
        "Can we talk about {} for a minute?", "We spent the whole weekend on {}.", "Not sure what to think about {} yet.",
        "{} again, because you asked for it.", "Thanks to everybody who helped with {}.", "I did not expect {} to be this much fun.",
        "Three things I learned from {}.", "My sister showed me {} and now I cannot stop.", "What would you change about {}?",
        "Small update on {}: it works now.", "It rained all day, so {} had to wait.", "Good morning! Today it is all about {}.",
    ],
    praise: &[
        "you are the best, never stop!", "we love you so much", "queen behaviour, honestly", "you deserve every bit of this",
        "I screamed when you posted", "so proud of you!!", "please come to our city", "legend", "how is this real, you are amazing",
    ],
    insults: &[
        "you absolute clown", "you are pathetic and everybody knows it", "what an idiot, delete your account",
        "nobody likes you, get lost", "you are so stupid it hurts to watch", "shut up you loser", "you look ridiculous, moron",
        "imagine being this dumb in public", "go cry somewhere else, you worthless fool", "you make everyone here sick",
    ],
    threats: &[
        "I know where you live and I will find you", "wait until I see you after school, you will regret this",
        "you will get hurt if you post again", "watch your back, I am coming for you", "someone should break your fingers",
    ],
    groups: &["Morvians", "the Talvish", "Karnish people", "the hill folk", "Ossilans"],
    hate: &[
        "{} do not belong in our town, throw them all out", "never trust {}, they are all liars and thieves",
        "{} are vermin and should not be allowed near our children", "I hate {}, they ruin every place they move to",
        "{} are less than human and deserve nothing", "this country would be better without {}",
    ],
    counter: &[
        "Saying that {} do not belong here is wrong. They are our neighbours.", "Stop calling people vermin. {} are as human as you are.",
        "I grew up with {} and what you write about them is a lie.", "You called her a clown; that is not an argument. Be kind.",
        "Reported. Nobody should read 'throw {} out' under a children's video.",
    ],
    spam: &[
        "Earn $900 a day from home, message me now! http://easy-cash.example/join", "FREE followers, click the link in my bio >> www.grow-fast.example",
        "You have WON a gift card! Claim it before midnight at http://prize.example", "Double your coins in 24 hours, guaranteed. DM for details",
        "Cheap watches and bags 90% OFF, whatsapp 555-0132", "check out my channel and subscribe, I subscribe back!!! http://sub4sub.example",
        "Congratulations! Your number was selected, text YES to 55512 to get your cash prize", "Hot investment tip: 300% return, limited seats http://gains.example",
    ],
    banter: &[
        "shut up, you lost to my little brother lol", "you absolute clown, I nearly spat out my tea 😂", "worst goalkeeper alive and I say that with love",
        "you idiot, you left your keys at mine again 😄", "loser buys the pizza, see you at six", "haha you are so dumb, never change",
    ],
    ladder: &[
        "hey, saw your video, you draw really well", "how old are you, if you do not mind?", "you seem way more grown up than others your age",
        "do you have another app? it is easier to talk there", "your parents would not get it, so let us keep this between us",
        "are you on your own after school?", "send me a picture so that I know it is really you", "remember, do not tell anybody. it is our secret",
    ],
};

pub(in crate::demo::traffic) const GERMAN: Phrases = Phrases {
    language: "de",
    space: " ",
    topics: &[
        "den neuen Radweg am See", "dieses Nudelrezept", "das Spiel gestern Abend", "meine alte Gitarre", "das Schultheater",
        "die letzte Folge", "unseren Garten", "den Nachtbus", "ein gebrauchtes Fahrrad", "die Bibliothek", "den Schachverein", "Omas Suppe",
    ],
    chatter: &[
        "Heute geht es nur um {}.", "Weiß jemand mehr über {}?", "Wir haben das ganze Wochenende lang über {} geredet.",
        "Ich habe viel über {} gelernt und zeige es euch.", "Was denkt ihr über {}?", "Kurzer Nachtrag zu gestern: Es ging um {}, und es klappt jetzt.",
        "Danke an alle, die mir etwas über {} erzählt haben.", "Meine Schwester hat sich über {} gefreut wie ein Kind.", "Guten Morgen! Noch jemand wach und denkt an {}?",
    ],
    praise: &[
        "du bist die Beste, mach weiter so!", "wir lieben dich", "so stolz auf dich!!", "du hast das verdient", "Legende", "bitte komm in unsere Stadt",
    ],
    insults: &[
        "du bist so ein Clown", "halt die Klappe, du Versager", "du bist dumm wie Brot, lösch dich", "keiner mag dich, verschwinde",
        "was für ein Idiot", "du bist echt erbärmlich und alle wissen es", "geh heulen, du wertloser Trottel",
    ],
    threats: &[
        "ich weiß, wo du wohnst, und ich finde dich", "warte, bis ich dich nach der Schule sehe", "pass auf dich auf, ich komme",
    ],
    groups: &["Morvier", "Talvische", "Karnen", "Hügelleute"],
    hate: &[
        "{} gehören nicht hierher, werft sie alle raus", "{} sind alle Lügner und Diebe, traut ihnen nie", "{} sind Ungeziefer und haben hier nichts verloren",
        "ich hasse {}, sie machen jeden Ort kaputt",
    ],
    counter: &[
        "Wer sagt, {} gehören nicht hierher, hat unrecht. Sie sind unsere Nachbarn.", "Hört auf, Menschen Ungeziefer zu nennen. {} sind Menschen wie du.",
        "Jemanden Clown zu nennen ist kein Argument. Seid nett zueinander.",
    ],
    spam: &[
        "Verdiene 900 € am Tag von zu Hause, schreib mir jetzt! http://schnelles-geld.example", "GRATIS Follower, Link im Profil >> www.mehr-fans.example",
        "Sie haben GEWONNEN! Gutschein bis Mitternacht abholen: http://preis.example", "Markenuhren 90 % billiger, nur heute, WhatsApp 555-0132",
    ],
    banter: &[
        "halt die Klappe, du hast gegen meinen kleinen Bruder verloren 😂", "du Clown, ich hab Tränen gelacht", "du Idiot, dein Schlüssel liegt wieder bei mir 😄",
        "der Verlierer zahlt die Pizza, bis sechs",
    ],
    ladder: &[
        "hey, hab dein Video gesehen, du malst richtig gut", "wie alt bist du eigentlich?", "du wirkst viel reifer als andere in deinem Alter",
        "hast du noch eine andere App? da schreibt es sich leichter", "deine Eltern verstehen das nicht, das bleibt unter uns",
        "bist du nach der Schule allein?", "schick mir ein Bild, damit ich weiß, dass du es bist", "sag es keinem, ja? das ist unser Geheimnis",
    ],
};
