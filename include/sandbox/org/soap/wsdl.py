"""The Partner WSDL of the operations that are served, made from the same table that answers are written by."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from include.sandbox.org.soap.dialects import PARTNER
from include.sandbox.org.soap.types import OPERATIONS, TYPES, Member

_HEADERS = {
    "SessionHeader": ("sessionId string",),
    "CallOptions": ("client string~", "defaultNamespace string~"),
    "LoginScopeHeader": ("organizationId ID", "portalId ID?"),
    "QueryOptions": ("batchSize int~",),
    "AllOrNoneHeader": ("allOrNone boolean",),
    "DuplicateRuleHeader": ("allowSave boolean", "includeRecordDetails boolean", "runAsCurrentUser boolean"),
    "LimitInfoHeader": ("limitInfo LimitInfo*",),
}
_WRITES = ("create", "update", "upsert", "delete", "undelete", "merge", "convertLead")
_TNS = {"ID", "QueryLocator"} | set(TYPES)


def partner_wsdl(location: str) -> str:
    """Return the WSDL with the address of its one port."""
    messages = "".join(_messages(name) for name in OPERATIONS)
    ports = "".join(
        f'<operation name="{name}"><input message="tns:{name}Request"/><output message="tns:{name}Response"/>'
        "</operation>"
        for name in OPERATIONS
    )
    bindings = "".join(_binding(name) for name in OPERATIONS)
    parts = "".join(f'<part element="tns:{name}" name="{name}"/>' for name in _HEADERS)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<definitions targetNamespace="{PARTNER.namespace}" xmlns="http://schemas.xmlsoap.org/wsdl/"'
        ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:tns="{PARTNER.namespace}" xmlns:ens="{PARTNER.records}">\n'
        f"<types>{_record_schema()}{_schema()}</types>\n"
        f'<message name="Header">{parts}</message>{messages}\n'
        f'<portType name="Soap">{ports}</portType>\n'
        '<binding name="SoapBinding" type="tns:Soap">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{bindings}</binding>\n"
        '<service name="SforceService"><port binding="tns:SoapBinding" name="Soap">'
        f"<soap:address location={quoteattr(location)}/></port></service>\n</definitions>\n"
    )


def _record_schema() -> str:
    """Return the schema of records: type, Id, and whatever fields there are."""
    return (
        f'<schema elementFormDefault="qualified" xmlns="http://www.w3.org/2001/XMLSchema"'
        f' targetNamespace="{PARTNER.records}">'
        f'<import namespace="{PARTNER.namespace}"/>'
        '<complexType name="sObject"><sequence><element name="type" type="xsd:string"/>'
        '<element name="fieldsToNull" type="xsd:string" nillable="true" minOccurs="0" maxOccurs="unbounded"/>'
        '<element name="Id" type="tns:ID" nillable="true"/>'
        '<any namespace="##targetNamespace" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>'
        "</sequence></complexType></schema>"
    )


def _schema() -> str:
    types = "".join(_type(name, members) for name, members in TYPES.items())
    headers = "".join(_element(name, "".join(map(_written, given))) for name, given in _HEADERS.items())
    operations = "".join(
        _element(name, "".join(map(_member, given)))
        + _element(f"{name}Response", _member(result) if result is not None else "")
        for name, (given, result) in OPERATIONS.items()
    )
    return (
        '<schema elementFormDefault="qualified" xmlns="http://www.w3.org/2001/XMLSchema"'
        f' targetNamespace="{PARTNER.namespace}">'
        f'<import namespace="{PARTNER.records}"/>'
        '<simpleType name="ID"><restriction base="xsd:string"><length value="18"/>'
        '<pattern value="[a-zA-Z0-9]{18}"/></restriction></simpleType>'
        '<simpleType name="QueryLocator"><restriction base="xsd:string"/></simpleType>'
        f"{types}{_location()}{headers}{operations}</schema>"
    )


def _location() -> str:
    """Return the types of places, which stand inside records."""
    texts = ("city", "country", "countryCode", "geocodeAccuracy", "postalCode", "state", "stateCode", "street")
    inside = "".join(f'<element name="{each}" type="xsd:string" nillable="true"/>' for each in texts)
    numbers = "".join(
        f'<element name="{each}" type="xsd:double" nillable="true"/>' for each in ("latitude", "longitude")
    )
    return (
        f'<complexType name="location"><sequence>{numbers}</sequence></complexType>'
        '<complexType name="address"><complexContent><extension base="tns:location">'
        f"<sequence>{inside}</sequence></extension></complexContent></complexType>"
    )


def _type(name: str, members: tuple[Member, ...]) -> str:
    return f'<complexType name="{name}"><sequence>{"".join(map(_member, members))}</sequence></complexType>'


def _element(name: str, inside: str) -> str:
    return f'<element name="{name}"><complexType><sequence>{inside}</sequence></complexType></element>'


def _written(text: str) -> str:
    name, _, kind = text.partition(" ")
    plain = kind.rstrip("?~*")
    many = "*" in kind
    return _member(Member(name=name, type=plain, many=many, optional=many or "?" in kind, nillable="~" in kind))


def _member(each: Member) -> str:
    kind = f"ens:{each.type}" if each.type == "sObject" else f"tns:{each.type}" if each.type in _TNS else (
        f"xsd:{each.type}"
    )  # fmt: skip
    marks = ' minOccurs="0"' if each.optional else ""
    marks += ' maxOccurs="unbounded"' if each.many else ""
    marks += ' nillable="true"' if each.nillable else ""
    return f'<element name="{each.name}" type="{kind}"{marks}/>'


def _messages(name: str) -> str:
    return (
        f'<message name="{name}Request"><part element="tns:{name}" name="parameters"/></message>'
        f'<message name="{name}Response"><part element="tns:{name}Response" name="parameters"/></message>'
    )


def _binding(name: str) -> str:
    sent = ["LoginScopeHeader", "CallOptions"] if name == "login" else ["SessionHeader", "CallOptions"]
    if name.startswith("query"):
        sent.append("QueryOptions")
    if name in _WRITES:
        sent += ["AllOrNoneHeader", "DuplicateRuleHeader"]
    headers = "".join(f'<soap:header use="literal" message="tns:Header" part="{each}"/>' for each in sent)
    told = '<soap:header use="literal" message="tns:Header" part="LimitInfoHeader"/>' if name != "login" else ""
    return (
        f'<operation name="{name}"><soap:operation soapAction=""/>'
        f'<input>{headers}<soap:body parts="parameters" use="literal"/></input>'
        f'<output>{told}<soap:body use="literal"/></output></operation>'
    )
