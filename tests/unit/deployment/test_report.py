from scripts.deployment.report import Report


def test_prints_each_check_and_why_it_failed_in_80_columns() -> None:
    lines: list[str] = []
    report = Report(show=lines.append)
    report.section("Read back")
    assert report.check("all is well")
    assert not report.check("the table is protected " * 5, ["asked for true, there is false"])
    assert lines[:2] == ["\nRead back", "  ok      all is well"]
    assert lines[2].startswith("  FAILED  the table is protected")
    assert lines[-1] == "            asked for true, there is false"
    assert max(map(len, lines)) <= 80
    assert report.total() == "2 checks, 1 failed"


def test_tells_of_many_checks_in_one_line_unless_one_fails() -> None:
    lines: list[str] = []
    report = Report(show=lines.append)

    def well(own: Report) -> None:
        own.check("one")
        own.check("two")

    def badly(own: Report) -> None:
        own.check("one")
        own.check("two", ["no"])

    assert report.check_silently("read back again", well)
    assert not report.check_silently("decided again", badly)
    assert not report.check_silently("called again", lambda _own: None)
    assert lines == [
        "  ok      read back again: 2 checks",
        "  FAILED  decided again: 1 checks",
        "            two",
        "  FAILED  called again: 0 checks",
        "            no check at all",
    ]
