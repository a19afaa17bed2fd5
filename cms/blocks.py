"""The blocks of which items and readings are built in the editor."""

from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

from cms.kinds import KindBlock

MATERIAL_SOURCES = [
    ("applicant", _("企业提交")),
    ("library", _("电子证照库调取")),
    ("exchange", _("数据共享获取")),
    ("form", _("在线填写（不用上传）")),
]
MATERIAL_FORMS = [
    ("electronic", _("电子件")),
    ("original", _("原件")),
    ("copy", _("复印件")),
]
MATERIAL_CODE = RegexValidator(r"\A[A-Za-z0-9_-]{1,60}\Z", _("材料代码只用字母、数字、短横和下划线，最多 60 个字符"))


class MaterialBlock(blocks.StructBlock):
    """One thing to hand in; `code` is what the criteria's `evidence` names."""

    code = KindBlock(label=_("材料代码"), max_length=60, validators=[MATERIAL_CODE])
    name = blocks.CharBlock(label=_("材料名称"), max_length=200)
    source = blocks.ChoiceBlock(label=_("来源"), choices=MATERIAL_SOURCES, default="applicant")
    required = blocks.BooleanBlock(label=_("必须提供"), default=True, required=False)
    original = blocks.ChoiceBlock(label=_("形式"), choices=MATERIAL_FORMS, default="electronic")
    copies = blocks.IntegerBlock(label=_("份数"), default=1, min_value=0, max_value=20)
    tolerable = blocks.BooleanBlock(label=_("可容缺（先受理、后补齐）"), default=True, required=False)
    promise = blocks.TextBlock(
        label=_("告知承诺书"), required=False, rows=2, help_text=_("写了承诺内容，企业就可以用签署承诺代替这份材料")
    )
    note = blocks.TextBlock(label=_("填报须知"), required=False, rows=2)
    template = DocumentChooserBlock(label=_("空白表格"), required=False)
    sample = DocumentChooserBlock(label=_("填写示例"), required=False)

    class Meta:
        label = _("材料")
        icon = "doc-full"
        label_format = "{name}"


STEP_KINDS = [
    ("", _("只作说明")),
    ("acceptance", _("受理")),
    ("review", _("审核（初审）")),
    ("site_visit", _("现场核查")),
    ("joint", _("部门会审")),
    ("expert", _("专家评审")),
    ("second_review", _("复审")),
]


class StepBlock(blocks.StructBlock):
    """One step of the procedure, who decides it and within how many working days; with a kind, reviews carry it out."""

    name = blocks.CharBlock(label=_("环节"), max_length=60)
    kind = blocks.ChoiceBlock(
        label=_("系统环节"),
        choices=STEP_KINDS,
        required=False,
        default="",
        help_text=_("选了现场核查、部门会审、专家评审，没有办完就不能通过；几项按这里的顺序办理"),
    )
    by = blocks.CharBlock(label=_("办理单位（岗位）"), max_length=100, required=False)
    days = blocks.IntegerBlock(label=_("时限（工作日）"), required=False, min_value=0, max_value=1000)
    departments = blocks.CharBlock(
        label=_("会审部门代码"), max_length=400, required=False, help_text=_("部门会审才填写；几个部门用空格或顿号隔开")
    )
    silence_consents = blocks.BooleanBlock(
        label=_("会审逾期视为同意"), required=False, default=False, help_text=_("不选则一直等待，逾期部门记黄牌、红牌")
    )
    checklist = blocks.TextBlock(
        label=_("核对清单"),
        required=False,
        rows=3,
        help_text=_("受理、审核、复审才填写；每行一项，逐项勾选后才能通过"),
    )
    note = blocks.TextBlock(label=_("说明"), required=False, rows=2)

    class Meta:
        label = _("环节")
        icon = "arrow-right"
        label_format = "{name}"


class QuestionBlock(blocks.StructBlock):
    question = blocks.CharBlock(label=_("问"), max_length=300)
    answer = blocks.TextBlock(label=_("答"), rows=3)

    class Meta:
        label = _("问答")
        icon = "help"
        label_format = "{question}"


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=_("图片"))
    description = blocks.CharBlock(
        label=_("图片内容的文字说明"), max_length=500, help_text=_("看不见图片的人靠它了解内容")
    )

    class Meta:
        label = _("图片")
        icon = "image"
        label_format = "{description}"


class PlainReadingBlocks(blocks.StreamBlock):
    """What a reading is made of."""

    heading = blocks.CharBlock(label=_("小标题"), max_length=200, icon="title")
    paragraph = blocks.TextBlock(label=_("段落"), rows=4, icon="pilcrow")
    question = QuestionBlock()
    picture = PictureBlock()


class DocumentBlocks(blocks.StreamBlock):
    """The issued text."""

    heading = blocks.CharBlock(label=_("标题"), max_length=200, icon="title")
    paragraph = blocks.TextBlock(label=_("段落"), rows=4, icon="pilcrow")


class AttachmentBlocks(blocks.StreamBlock):
    attachment = DocumentChooserBlock(label=_("附件"))


class MaterialBlocks(blocks.StreamBlock):
    material = MaterialBlock()


class StepBlocks(blocks.StreamBlock):
    step = StepBlock()


class SubItemBlocks(blocks.StreamBlock):
    sub_item = blocks.CharBlock(label=_("子项"), max_length=200)


def plain_values(stream: Any) -> list[dict[str, Any]]:
    """The struct values of a stream as plain dictionaries, chosen documents as their ids."""
    found = []
    for block in stream:
        value = dict(block.value)
        for key in ("template", "sample"):
            if key in value:
                value[key] = value[key].pk if value[key] else None
        found.append(value)
    return found
