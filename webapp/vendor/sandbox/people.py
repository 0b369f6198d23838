"""The sandbox's register: invented people with numbers nobody can have. Pure: no I/O, `today` is an argument.

Region codes begin with two digits no province was ever given (10, 20, 30, 40, 60, 70), or the number is one
of the two examples printed in GB 11643-1999. Places are invented too. Names that make the sandbox misbehave
are in `scenarios`.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_DIGITS = frozenset("0123456789")

PLACES: dict[str, tuple[str, str, str]] = {
    "100101": ("演练省", "演练市", "演练县"),
    "100102": ("演练省", "演练市", "模拟区"),
    "100103": ("演练省", "演练市", "预演县"),
    "100190": ("演练省", "演练市", "导览县"),
    "200201": ("示例省", "示例市", "示例县"),
    "200202": ("示例省", "示例市", "样本区"),
    "300301": ("虚构自治区", "虚构市", "虚构旗"),
    "300302": ("虚构自治区", "虚构市", "假设县"),
    "400401": ("测试省", "测试市", "测试县"),
    "400402": ("测试省", "测试市", "试验区"),
    "600601": ("假想省", "假想市", "假想县"),
    "600602": ("假想省", "假想市", "设想区"),
    "700701": ("样例市", "样例市", "样例区"),
    "110105": ("北京市", "北京市", "朝阳区"),
    "440524": ("广东省", "汕头市", "潮阳县"),
    "340421": ("安徽省", "淮南市", "凤台县"),
}
_ELSEWHERE = ("演练省", "演练市", "演练县")


class Person(NamedTuple):
    """One entry: who it is, and in both languages what it is there to show."""

    name: str
    number: str
    zh: str
    en: str

    @property
    def place(self) -> tuple[str, str, str]:
        """Province, city, county as the vendor would return them."""
        return place(self.number)

    @property
    def birthday(self) -> str:
        return self.number[6:14]

    @property
    def sex(self) -> str:
        return sex(self.number)


PEOPLE: tuple[Person, ...] = (
    Person("张三", "11010519491231002X", "国家标准公布的示例号码", "the standard's published example"),
    Person("李四", "440524188001010014", "国家标准公布的示例号码，年龄最大", "the standard's example; the oldest"),
    Person("陈小满", "100101199003080023", "女", "woman"),
    Person("林知远", "100101198512240115", "男", "man"),
    Person("周乐", "10010219780615007X", "两个字的姓名，校验码 X", "name of two characters, check character X"),
    Person("欧阳思远", "200201199509210242", "复姓", "surname of two characters"),
    Person("古丽娜尔·演练", "300301198807040362", "姓名中有间隔号", "name with a separator"),
    Person("才让·卓玛·演练", "300301197211300050", "姓名中有两个间隔号", "name with two separators"),
    Person("马㛃", "20020119831018058X", "生僻字（扩展 A 区），校验码 X", "rare character (extension A), check X"),
    Person(
        "王䶮",
        "400401199912310073",
        "生僻字（扩展 A 区），年末出生",
        "rare character, born on the last of a year",
    ),
    Person("李𬱖", "400401200001010083", "生僻字（基本平面之外）", "character outside the BMP (U+2CC56)"),
    Person("赵𠮷", "600601196609090033", "异体字（基本平面之外）", "character outside the BMP (U+20BB7)"),
    Person(
        "演练长名甲乙丙丁戊己庚辛壬癸·子丑寅卯辰巳午未申酉戌亥·东西南北中春夏秋冬梅兰竹菊琴棋书画山水云风雨",
        "60060119910410013X",
        "五十个字的姓名，校验码 X",
        "name of 50 code points, check character X",
    ),
    Person("郑闰生", "700701200002290176", "闰日出生", "born on a leap day"),
    Person("吴童童", "700701201906010063", "未满十四周岁（至 2033 年）", "under 14 until 2033"),
    Person(
        "郑小闰",
        "70070120240229049X",
        "未满十四周岁（至 2038 年），闰日出生",
        "under 14 until 2038, leap day",
    ),
    Person("何寿", "10010219200520002X", "百岁老人", "over a hundred years old"),
    Person("孙一鸣", "300302200105110318", "双胞胎：同地同日，顺序码不同", "twin: same place and day"),
    Person("孙一诺", "300302200105110326", "双胞胎：同地同日，顺序码不同", "twin: same place and day"),
    Person("李演", "200202198008080218", "重名：同名不同号", "one name, two numbers"),
    Person("李演", "400402199203170211", "重名：同名不同号", "one name, two numbers"),
    Person("林林林", "600602198702260186", "三个相同的字", "one character three times"),
    Person("何〇", "100103199307250450", "姓名中有〇", "name with the character 〇"),
    Person("许整", "400402198601062000", "以 000 结尾，却是真号码", "ends in 000 and is right all the same"),
)

MANUAL_PEOPLE: tuple[Person, ...] = (
    Person(
        "张三",
        "340421190710145412",
        "手册返回示例，校验码不符",
        "the manual's answers; its check digit is wrong",
    ),
    Person(
        "张三",
        "340421190210182345",
        "手册请求示例，校验码不符",
        "the manual's request; its check digit is wrong",
    ),
)

UNKNOWN_NUMBERS: tuple[str, ...] = ("100109197001010015", "20020919940404068X")
"""Well-formed numbers nobody in the register has: they answer 0007 with any name."""

TOUR_PEOPLE, TOUR_NOBODY = "100190", "100191"
"""How the numbers of the desk's tour begin: everybody in the first region is registered, by the name that the number
gives; nobody in the second is."""
TOUR_SURNAMES = "陈林周吴郑赵孙钱冯沈"
TOUR_GIVEN_NAMES = ("小满", "小月", "小禾", "小舟", "小棠", "小溪", "小松", "小石")

_BY_NUMBER = {person.number: person for person in PEOPLE + MANUAL_PEOPLE}


def lookup(name: str, number: str) -> str:
    """The register's respCode: 0000 both match, 0008 the number is another's, 0007 nobody's."""
    person = _BY_NUMBER.get(number)
    registered = tour_name(number) if number.startswith(TOUR_PEOPLE) else person.name if person else None
    if registered is None:
        return "0007"
    return "0000" if registered == name else "0008"


def tour_number(region: str, born: date, sequence: int) -> str:
    """A well-formed number of one of the tour's regions; `sequence` from 1 to 999."""
    first_17 = f"{region}{born:%Y%m%d}{sequence:03}"
    return first_17 + check_character(first_17)


def tour_name(number: str) -> str:
    """The registered name of a number of the tour."""
    counted = int(number[6:17])
    surname, given = divmod(counted % (len(TOUR_SURNAMES) * len(TOUR_GIVEN_NAMES)), len(TOUR_GIVEN_NAMES))
    return TOUR_SURNAMES[surname] + TOUR_GIVEN_NAMES[given]


def of_tour(number: str) -> bool:
    """Whether a number is one of the tour's, made for a single use."""
    return number.startswith((TOUR_PEOPLE, TOUR_NOBODY))


def check_character(first_17: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits (GB 11643-1999)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def well_formed(number: str, today: date) -> bool:
    """18 characters, a birth date that exists and is past, the right check character; or the manual's."""
    if number in _BY_NUMBER:
        return True
    if len(number) != 18 or not _DIGITS.issuperset(number[:17]):
        return False
    born = _born(number)
    return born is not None and born <= today and check_character(number[:17]) == number[17]


def place(number: str) -> tuple[str, str, str]:
    """Province, city, county; an invented place for every code not in the table."""
    return PLACES.get(number[:6], _ELSEWHERE)


def sex(number: str) -> str:
    """`M` or `F` by the 17th digit, '' where the number does not tell."""
    digit = number[16:17]
    if digit not in _DIGITS:
        return ""
    return "M" if int(digit) % 2 else "F"


def age(number: str, today: date) -> str:
    """Completed years on `today`, as the vendor's string; '' where the number does not tell."""
    born = _born(number)
    if born is None or born > today:
        return ""
    return str(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


def birthday(number: str) -> str:
    """YYYYMMDD, '' where the number holds no date."""
    return number[6:14] if _born(number) else ""


def _born(number: str) -> date | None:
    digits = number[6:14]
    if len(digits) != 8 or not _DIGITS.issuperset(digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
