import pytest

from matching.criteria import InvalidInput
from matching.models import Profile
from matching.registry.models import OutboxMessage
from matching.services import enterprises
from tests.factories import matching as make

GOOD = "91110000600037341L"


@pytest.mark.django_db
def test_a_registered_enterprise_has_an_empty_profile_and_is_announced():
    firm = enterprises.register(name=" 青羊测试有限公司 ", code=GOOD.lower(), now=make.NOW)
    assert (firm.name, firm.credit_code, firm.external_id) == ("青羊测试有限公司", GOOD, GOOD)
    assert Profile.objects.get(enterprise=firm).facts == {}
    assert OutboxMessage.objects.filter(topic="enterprise.facts_changed").count() == 1


@pytest.mark.django_db
def test_a_code_or_an_id_can_be_registered_once():
    enterprises.register(name="甲", code=GOOD, external_id="E1", now=make.NOW)
    with pytest.raises(InvalidInput, match="已登记"):
        enterprises.register(name="乙", code=GOOD, now=make.NOW)
    with pytest.raises(InvalidInput, match="编号 E1 已被"):
        enterprises.register(name="乙", code=make.credit_code_of(1), external_id="E1", now=make.NOW)
    with pytest.raises(InvalidInput, match="企业名称"):
        enterprises.register(name=" ", code=make.credit_code_of(2), now=make.NOW)
