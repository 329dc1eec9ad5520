//! Spanish, Portuguese, French and Italian.

use super::Phrases;

pub(in crate::demo::traffic) const SPANISH: Phrases = Phrases {
    language: "es",
    space: " ",
    topics: &[
        "el sendero junto al lago", "esta receta de pasta", "el partido de anoche", "mi vieja guitarra", "la obra del colegio",
        "el último episodio", "nuestro jardín", "el autobús nocturno", "la biblioteca", "el club de ajedrez", "la sopa de mi abuela",
    ],
    chatter: &[
        "Por fin probé {} y valió la pena.", "¿Alguien sabe más sobre {}?", "Hoy os cuento todo sobre {}.", "Pasamos el fin de semana con {}.",
        "No sé todavía qué pensar de {}.", "Gracias a quienes ayudaron con {}.", "Mi hermana me enseñó {} y no puedo parar.", "Buenos días, hoy toca hablar de {}.",
    ],
    praise: &["eres la mejor, no pares nunca", "te queremos mucho", "¡qué orgullo!", "te lo mereces todo", "leyenda", "ven a nuestra ciudad por favor"],
    insults: &[
        "eres un payaso", "cállate, perdedor", "qué idiota, borra tu cuenta", "nadie te quiere, lárgate", "das pena y todos lo saben",
        "eres tan estúpido que duele mirarte", "vete a llorar a otro lado, inútil",
    ],
    threats: &["sé dónde vives y te voy a encontrar", "espera a que te vea a la salida, te vas a arrepentir", "cuídate la espalda, voy a por ti"],
    groups: &["los morvios", "los talvianos", "los karneses", "la gente de las colinas"],
    hate: &[
        "{} no pertenecen aquí, hay que echarlos a todos", "nunca confíes en {}, son todos mentirosos y ladrones", "{} son plaga y arruinan todo", "odio a {}, este país estaría mejor sin ellos",
    ],
    counter: &[
        "Decir que {} no pertenecen aquí está mal. Son nuestros vecinos.", "Deja de llamar plaga a la gente, {} son tan humanos como tú.", "Llamar payaso a alguien no es un argumento.",
    ],
    spam: &[
        "¡Gana 900 € al día desde casa, escríbeme ya! http://dinero-facil.example", "Seguidores GRATIS, enlace en mi perfil >> www.crece.example",
        "¡Has GANADO una tarjeta regalo! Reclámala antes de medianoche en http://premio.example", "Relojes y bolsos 90 % de descuento, whatsapp 555-0132",
    ],
    banter: &["cállate, perdiste contra mi hermano pequeño jaja", "qué payaso eres, casi escupo el té 😂", "idiota, dejaste otra vez las llaves en mi casa 😄", "el que pierde paga la pizza"],
    ladder: &[
        "hola, vi tu video, dibujas muy bien", "¿cuántos años tienes?", "pareces mucho más madura que otras de tu edad", "¿tienes otra app? allí es más fácil hablar",
        "tus padres no lo entenderían, que quede entre nosotros", "¿estás sola después del colegio?", "mándame una foto para saber que eres tú", "no se lo digas a nadie, es nuestro secreto",
    ],
};

pub(in crate::demo::traffic) const PORTUGUESE: Phrases = Phrases {
    language: "pt",
    space: " ",
    topics: &[
        "a trilha perto do lago", "esta receita de massa", "o jogo de ontem", "meu violão velho", "a peça da escola", "o último episódio",
        "o nosso jardim", "o ônibus da noite", "a biblioteca", "o clube de xadrez", "a sopa da minha avó",
    ],
    chatter: &[
        "Finalmente experimentei {} e valeu a pena.", "Alguém sabe mais sobre {}?", "Hoje eu conto tudo sobre {}.", "Passamos o fim de semana inteiro com {}.",
        "Ainda não sei o que pensar sobre {}.", "Obrigado a quem ajudou com {}.", "Minha irmã me mostrou {} e não consigo parar.", "Bom dia! Hoje o assunto é {}.",
    ],
    praise: &["você é a melhor, nunca pare", "a gente te ama muito", "que orgulho!", "você merece tudo isso", "lenda", "vem pra nossa cidade por favor"],
    insults: &[
        "você é um palhaço", "cala a boca, seu fracassado", "que idiota, apaga essa conta", "ninguém gosta de você, some daqui", "você é ridículo e todo mundo sabe",
        "você é tão burro que dói de ver", "vai chorar em outro lugar, seu inútil",
    ],
    threats: &["eu sei onde você mora e vou te achar", "espera eu te ver na saída, você vai se arrepender", "cuidado por onde anda, eu vou atrás de você"],
    groups: &["os mórvios", "os talvianos", "os karneses", "o povo das colinas"],
    hate: &[
        "{} não pertencem aqui, tem que expulsar todos", "nunca confie em {}, são todos mentirosos e ladrões", "{} são uma praga e estragam tudo", "odeio {}, este país seria melhor sem eles",
    ],
    counter: &[
        "Dizer que {} não pertencem aqui é errado. São nossos vizinhos.", "Pare de chamar gente de praga, {} são tão humanos quanto você.", "Chamar alguém de palhaço não é argumento.",
    ],
    spam: &[
        "Ganhe R$ 900 por dia em casa, me chama agora! http://dinheiro-facil.example", "Seguidores GRÁTIS, link no meu perfil >> www.cresca.example",
        "Você GANHOU um vale-presente! Resgate até meia-noite em http://premio.example", "Relógios e bolsas com 90% de desconto, whatsapp 555-0132",
    ],
    banter: &["cala a boca, você perdeu pro meu irmão pequeno kkk", "seu palhaço, quase cuspi o chá 😂", "idiota, esqueceu a chave aqui de novo 😄", "quem perde paga a pizza"],
    ladder: &[
        "oi, vi seu vídeo, você desenha muito bem", "quantos anos você tem?", "você parece bem mais madura que as outras da sua idade", "você tem outro app? lá é mais fácil conversar",
        "seus pais não iam entender, fica só entre a gente", "você fica sozinha depois da escola?", "me manda uma foto pra eu saber que é você", "não conta pra ninguém, é nosso segredo",
    ],
};

pub(in crate::demo::traffic) const FRENCH: Phrases = Phrases {
    language: "fr",
    space: " ",
    topics: &[
        "le sentier du lac", "cette recette de pâtes", "le match d'hier soir", "ma vieille guitare", "la pièce de l'école", "le dernier épisode",
        "notre jardin", "le bus de nuit", "la bibliothèque", "le club d'échecs", "la soupe de ma grand-mère",
    ],
    chatter: &[
        "J'ai enfin essayé {} et ça valait le coup.", "Quelqu'un en sait plus sur {} ?", "Aujourd'hui je vous raconte tout sur {}.", "On a passé le week-end avec {}.",
        "Je ne sais pas encore quoi penser, mais {} me plaît.", "Merci à tous ceux qui ont aidé pour {}.", "Ma sœur m'a montré {} et je ne peux plus m'arrêter.", "Bonjour ! Aujourd'hui on parle de ça : {}.",
    ],
    praise: &["tu es la meilleure, ne t'arrête jamais", "on t'aime tellement", "trop fière de toi !!", "tu mérites tout ça", "légende", "viens dans notre ville s'il te plaît"],
    insults: &[
        "espèce de clown", "ferme-la, gros nul", "quel idiot, supprime ton compte", "personne ne t'aime, dégage", "tu es pathétique et tout le monde le sait", "tu es tellement bête que ça fait mal à voir",
    ],
    threats: &["je sais où tu habites et je vais te trouver", "attends que je te voie à la sortie, tu vas le regretter", "fais attention à toi, j'arrive"],
    groups: &["les Morviens", "les Talvins", "les Karnois", "les gens des collines"],
    hate: &["{} n'ont rien à faire ici, virez-les tous", "ne faites jamais confiance aux autres : {} sont tous des menteurs", "{} sont de la vermine et gâchent tout", "je déteste ça : {} partout dans notre ville"],
    counter: &["Dire que {} n'ont rien à faire ici est faux. Ce sont nos voisins.", "Arrêtez de traiter les gens de vermine, {} sont humains comme vous.", "Traiter quelqu'un de clown n'est pas un argument."],
    spam: &[
        "Gagnez 900 € par jour à la maison, écrivez-moi ! http://argent-facile.example", "Abonnés GRATUITS, lien dans ma bio >> www.plus-de-fans.example",
        "Vous avez GAGNÉ une carte cadeau ! À retirer avant minuit : http://cadeau.example", "Montres et sacs à -90 %, whatsapp 555-0132",
    ],
    banter: &["tais-toi, tu as perdu contre mon petit frère mdr", "quel clown, j'ai failli recracher mon thé 😂", "idiot, tu as encore oublié tes clés chez moi 😄", "le perdant paie la pizza"],
    ladder: &[
        "salut, j'ai vu ta vidéo, tu dessines super bien", "tu as quel âge ?", "tu fais beaucoup plus mûre que les autres de ton âge", "tu as une autre appli ? c'est plus simple pour parler",
        "tes parents ne comprendraient pas, ça reste entre nous", "tu es seule après l'école ?", "envoie-moi une photo pour que je sache que c'est toi", "ne le dis à personne, c'est notre secret",
    ],
};

pub(in crate::demo::traffic) const ITALIAN: Phrases = Phrases {
    language: "it",
    space: " ",
    topics: &["il sentiero vicino al lago", "questa ricetta di pasta", "la partita di ieri sera", "la mia vecchia chitarra", "la recita della scuola", "il nostro giardino", "la biblioteca"],
    chatter: &[
        "Finalmente ho provato {} e ne è valsa la pena.", "Qualcuno sa qualcosa in più su {}?", "Oggi vi racconto {}.", "Abbiamo passato il fine settimana con {}.", "Grazie a chi ha aiutato con {}.", "Buongiorno! Oggi si parla di {}.",
    ],
    praise: &["sei la migliore, non smettere mai", "ti vogliamo bene", "che orgoglio!", "te lo meriti tutto", "leggenda"],
    insults: &["sei un pagliaccio", "stai zitto, perdente", "che idiota, cancella il profilo", "non piaci a nessuno, sparisci", "fai pena e lo sanno tutti"],
    threats: &["so dove abiti e ti troverò", "aspetta che ti veda all'uscita, te ne pentirai"],
    groups: &["i morviani", "i talviani", "la gente delle colline"],
    hate: &["{} non devono stare qui, cacciateli tutti", "mai fidarsi: {} sono tutti bugiardi e ladri", "{} sono parassiti e rovinano tutto"],
    counter: &["Dire che {} non devono stare qui è sbagliato. Sono i nostri vicini.", "Basta chiamare parassiti le persone, {} sono umani come te."],
    spam: &["Guadagna 900 € al giorno da casa, scrivimi ora! http://soldi-facili.example", "Follower GRATIS, link nel profilo >> www.cresci.example", "Hai VINTO una carta regalo! Ritirala entro mezzanotte: http://premio.example"],
    banter: &["stai zitto, hai perso contro il mio fratellino ahah", "che pagliaccio, quasi sputavo il tè 😂", "chi perde paga la pizza"],
    ladder: &[
        "ciao, ho visto il tuo video, disegni benissimo", "quanti anni hai?", "sembri molto più matura delle altre della tua età", "hai un'altra app? lì si parla meglio",
        "i tuoi non capirebbero, resti tra noi", "sei da sola dopo la scuola?", "mandami una foto così so che sei tu", "non dirlo a nessuno, è il nostro segreto",
    ],
};
