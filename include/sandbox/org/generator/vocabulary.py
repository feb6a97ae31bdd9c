"""Words that records are made of: names, places and texts, among them every trap that readers fall into."""

from __future__ import annotations

# Name and its spelling in an e-mail address.
FIRST_NAMES = (
    ("Anna", "anna"), ("José", "jose"), ("Zoë", "zoe"), ("Łukasz", "lukasz"), ("Søren", "soeren"),
    ("Jürgen", "juergen"), ("François", "francois"), ("Mary", "mary"), ("James", "james"), ("Aylin", "aylin"),
    ("Şule", "sule"), ("Çağlar", "caglar"), ("Priya", "priya"), ("Rahul", "rahul"), ("Yuki", "yuki"),
    ("美咲", "misaki"), ("健太", "kenta"), ("Иван", "ivan"), ("Ольга", "olga"), ("محمد", "mohammed"), ("Noa", "noa"),
    ("Chloé", "chloe"), ("Siobhán", "siobhan"), ("Björn", "bjoern"), ("Émile", "emile"), ("Grace", "grace"),
    ("Robert", "robert"), ("Bob", "bob"), ("Elizabeth", "elizabeth"), ("Liz", "liz"), ("William", "william"),
    ("Bill", "bill"), ("Jean-Luc", "jean-luc"), ("Mary Ann", "mary-ann"), ("Ana", "ana"), ("João", "joao"),
    ("Marek", "marek"), ("Giulia", "giulia"), ("Luca", "luca"), ("Sofía", "sofia"), ("Mateo", "mateo"),
    ("Emma", "emma"), ("Liam", "liam"), ("Olivia", "olivia"), ("Noah", "noah"), ("Ingrid", "ingrid"),
    ("Thabo", "thabo"), ("Wei", "wei"),
)  # fmt: skip
# First name of the list above -> the other form of it, and that form's spelling in an e-mail address.
NICKNAMES = {
    "Anna": ("Ania", "ania"), "José": ("Pepe", "pepe"), "Łukasz": ("Łukaszek", "lukaszek"), "Jürgen": ("Jogi", "jogi"),
    "François": ("Fanfan", "fanfan"), "Mary": ("Molly", "molly"), "James": ("Jim", "jim"), "Priya": ("Pri", "pri"),
    "Иван": ("Ваня", "vanya"), "Ольга": ("Оля", "olya"), "Grace": ("Gracie", "gracie"), "Robert": ("Bob", "bob"),
    "Bob": ("Robert", "robert"), "Elizabeth": ("Liz", "liz"), "Liz": ("Elizabeth", "elizabeth"),
    "William": ("Bill", "bill"), "Bill": ("William", "william"), "João": ("Joãozinho", "joaozinho"),
    "Giulia": ("Giuli", "giuli"), "Sofía": ("Sofi", "sofi"), "Mateo": ("Teo", "teo"), "Olivia": ("Liv", "liv"),
    "Liam": ("Will", "will"),
}  # fmt: skip
LAST_NAMES = (
    ("Müller", "mueller"), ("Schmidt", "schmidt"), ("O'Brien", "obrien"), ("García", "garcia"), ("Null", "null"),
    ("Nguyễn", "nguyen"), ("Yılmaz", "yilmaz"), ("Kaya", "kaya"), ("Smith", "smith"), ("Jones", "jones"),
    ("van der Berg", "vanderberg"), ("de Souza", "desouza"), ("Kowalski", "kowalski"), ("Øvergård", "overgard"),
    ("Åkesson", "akesson"), ("Dupont", "dupont"), ("Lefèvre", "lefevre"), ("Rossi", "rossi"), ("Bianchi", "bianchi"),
    ("佐藤", "sato"), ("鈴木", "suzuki"), ("Patel", "patel"), ("Singh", "singh"), ("Петров", "petrov"),
    ("Cohen", "cohen"), ("حسن", "hassan"), ("Andersson", "andersson"), ("Nielsen", "nielsen"),
    ("Fernández", "fernandez"), ("Silva", "silva"), ("McDonald", "mcdonald"), ("Smith-Jones", "smith-jones"),
    ("Nowak", "nowak"), ("Brown", "brown"), ("Taylor", "taylor"), ("Wilson", "wilson"), ("Weiß", "weiss"),
    ("Groß", "gross"), ("Janssen", "janssen"), ("Bakker", "bakker"), ("NA", "na"), ("Murphy", "murphy"),
    ("Kelly", "kelly"), ("Tanaka", "tanaka"), ("Martin", "martin"), ("Bernard", "bernard"), ("Moreau", "moreau"),
    ("True", "true"), ("Díaz", "diaz"), ("Çelik", "celik"),
)  # fmt: skip
TITLES = (
    "CEO", "CTO", "Head of Sales", "VP, Marketing", "Geschäftsführer", "Einkauf", "Office Manager", "None",
    "Senior \"Growth\" Manager", "Directeur général", "Engineer", "Consultant", "Buyer", "Analyst", "Intern", None,
)  # fmt: skip
DEPARTMENTS = ("Sales", "Marketing", "NA", "Finance", "IT", "null", "R&D", "Operations", "Einkauf", None, None)
NOTES = (
    "Met at \"Hannover Messe\", wants a call\nback next week; budget: 10,000 €",
    "Prefers e-mail.\r\nDoes not want phone calls, ever.",
    "=SUM(A1:A9) is how her notes begin",
    "Ça va? Très intéressé par l'offre « Premium »",
    "Line one\nLine two, with a comma\n\"Line three\" in quotes",
    "日本語のメモ: 来週フォローアップ",
    "None",
    "null",
    "N/A",
    "🚀 excited about the roadmap; tab\there",
    "He said: \"\"no\"\" twice; trailing blank ",
    "Backslash \\ and 'single' quotes",
)  # fmt: skip
STREETS = (
    "Hauptstraße", "High Street", "Rue de la Paix", "Calle Mayor", "Via Roma", "Market Street", "İstiklal Caddesi",
    "Königsallee", "Kungsgatan", "ulica Długa", "Avenida Paulista", "George Street",
)  # fmt: skip
COMPANY_FIRST = (
    "Nordwind", "Blue Harbor", "Café Central", "Sakura", "Anatolia", "Rhein-Main", "Alpine", "Iberia", "Baltic",
    "Red River", "Évora", "Kraków", "Thames", "Lumière", "Oak & Ash", "Green \"Leaf\"", "Aurora", "Summit",
)  # fmt: skip
COMPANY_SECOND = ("Logistics", "Systems", "Foods", "Textil", "Software", "Energy", "Pharma", "Travel", "Media", "Steel")
LEGAL_FORMS = ("GmbH", "Ltd.", "Inc.", "S.A.", "S.r.l.", "AB", "A.Ş.", "B.V.", "Sp. z o.o.", "K.K.", "LLC", "Lda.")
PROSPECT_FIRST = ("Harvest", "Pixel", "Vega", "Orchid", "Falcon", "Côte d'Azur", "Zephyr", "Mosaic", "Juniper", "Atlas")
PROSPECT_SECOND = ("Studios", "Labs", "Partners", "Ventures", "Works", "Traders", "Clinics", "Motors")
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
ROLE_MAILBOXES = ("info", "office", "sales", "kontakt", "team")
NEXT_STEPS = ("Send quote", 'Call, then "demo"', "Legal review", "Wait for budget", None, None)
DEALS = ("New licence", "Renewal", "Upgrade", "Pilot, phase 1", 'Extension "Plus"', "Services")
SUBJECTS = ("Call", "Send Letter", "Send Quote", 'Follow up on "Q3", please', "E-Mail: Angebot für Sie", "Other")
BROKEN_MAILS = ("no-at-sign.example.com", "two@@example.com", "blank in@example.com", "nobody@", "@example.com", "a@b")
BROKEN_PHONES = ("12345", "n/a", "+49 12", "call the office", "000-000", "+999 123456789")

# Country, cities, and a mobile number: `#` is any digit. After the bar: how the number is written at home.
COUNTRIES: tuple[tuple[str, tuple[str, str, str], str], ...] = (
    ("Germany", ("Köln", "München", "Berlin"), "+49 151 ########|0151/########"),
    ("United States", ("New York", "San José", "Boston"), "+1 (415) 7##-####|(415) 7##-####"),
    ("United Kingdom", ("London", "Leeds", "Glasgow"), "+44 7911 2#####|07911 2#####"),
    ("France", ("Paris", "Orléans", "Nîmes"), "+33 6 1# ## ## ##|06.1#.##.##.##"),
    ("Spain", ("Málaga", "Madrid", "A Coruña"), "+34 612 ### ###|612 ### ###"),
    ("Italy", ("Forlì", "Roma", "Milano"), "+39 347 ### ####|347 ### ####"),
    ("Netherlands", ("Den Haag", "Utrecht", "'s-Hertogenbosch"), "+31 6 1#######|06-1#######"),
    ("Sweden", ("Malmö", "Göteborg", "Stockholm"), "+46 70-### ## ##|070-### ## ##"),
    ("Poland", ("Łódź", "Kraków", "Gdańsk"), "+48 601 ### ###|601 ### ###"),
    ("Türkiye", ("İstanbul", "Ankara", "İzmir"), "+90 532 ### ## ##|0532 ### ## ##"),
    ("Japan", ("東京", "大阪", "Sapporo"), "+81 90-1###-####|090-1###-####"),
    ("Brazil", ("São Paulo", "Brasília", "Rio de Janeiro"), "+55 11 98###-####|(11) 98###-####"),
    ("India", ("Mumbai", "Pune", "Delhi"), "+91 98### #####|098### #####"),
    ("Australia", ("Sydney", "Perth", "Hobart"), "+61 412 ### ###|0412 ### ###"),
)
