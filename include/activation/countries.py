"""Read a country as people write it: "Germany", "DE", "DEU", "Deutschland", "USA". Pure."""

from __future__ import annotations

from functools import lru_cache

from phonenumbers.geodata.locale import LOCALE_DATA

# Codes of three letters (ISO 3166-1), some of them withdrawn, each followed by that of two.
_THREE_LETTERS = """
ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT AZEAZ BDIBI BELBE BENBJ
BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT BURMM BVTBV BWABW CAFCF
CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ
DDRDE DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM
FXXFR GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY HKGHK
HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ
KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF
MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW
MYSMY MYTYT NAMNA NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH
PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS SHNSH
SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD
TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TMPTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ
VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE YMDYE ZAFZA ZARCD ZMBZM ZWEZW
"""
# What people write and no list of names holds.
_SAID = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "united states of america": "US", "u s a": "US", "u s": "US", "america": "US",
    "the netherlands": "NL", "holland": "NL", "czechia": "CZ", "turkiye": "TR", "türkiye": "TR",
    "korea": "KR", "republic of korea": "KR", "russian federation": "RU", "viet nam": "VN", "eswatini": "SZ",
    "north macedonia": "MK", "ivory coast": "CI", "cape verde": "CV", "uae": "AE", "brasil": "BR", "méxico": "MX",
    "republic of ireland": "IE", "people's republic of china": "CN", "hong kong": "HK", "macau": "MO",
}  # fmt: skip


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """Return the two-letter code (ISO 3166-1) of a country's code or name in any of some sixty languages, or None."""
    word = " ".join(text.replace(".", " ").split()).casefold()
    if not word:
        return None
    code = word.upper()
    if len(code) == 2 and code in LOCALE_DATA:
        return code
    return _said(word) or _names().get(word)


def _said(word: str) -> str | None:
    return _SAID.get(word) or _three_letters().get(word.upper())


@lru_cache(maxsize=1)
def _three_letters() -> dict[str, str]:
    return {pair[:3]: pair[3:] for pair in _THREE_LETTERS.split()}


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Return every name that belongs to one country only; an English name wins over the other languages."""
    english: dict[str, str] = {}
    other: dict[str, str | None] = {}
    for code, names in LOCALE_DATA.items():
        for language, name in names.items():
            word = (names[name[1:]] if name.startswith("*") else name).casefold()
            if language == "en":
                english[word] = code
            elif other.setdefault(word, code) != code:
                other[word] = None
    return {word: code for word, code in other.items() if code} | english
