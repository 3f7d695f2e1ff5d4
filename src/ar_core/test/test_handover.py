from ar_core.handover import Handover


def test_messages_are_handed_over_as_they_are_until_they_are_no_longer_wanted() -> None:
    handover, first, second, message = Handover(), list[object](), list[object](), object()
    assert not handover.give("/camera/image_raw", message)
    forget = handover.hear("/camera/image_raw", first.append)
    handover.hear("/camera/image_raw", second.append)
    assert handover.give("/camera/image_raw", message)
    forget()
    assert handover.give("/camera/image_raw", message)
    assert [one is message for one in first] == [True]
    assert [one is message for one in second] == [True, True]
    assert not handover.give("/other", message)


def test_only_what_was_named_goes_this_way() -> None:
    handover = Handover()
    assert not handover.serves("camera/image_raw")
    handover.within(["camera/image_raw"])
    assert handover.serves("camera/image_raw")
    assert not handover.serves("segment/mask")
