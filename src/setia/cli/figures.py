"""Commands of figures: metrics, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from setia.cli.show import AsOfOption, LangOption, ShopOption, csv_lines, day, lines, opened, plain, table

if TYPE_CHECKING:
    from setia.app import Shop
    from setia.metrics.answer import Answer


def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all of them by default.")
    ] = None,
    shop: ShopOption = ".",
    as_of: AsOfOption = None,
    every: Annotated[str | None, typer.Option(help="Over time: day, week, month, quarter or year.")] = None,
    window: Annotated[int | None, typer.Option(metavar="DAYS", help="Length of the window.")] = None,
    last: Annotated[int | None, typer.Option(metavar="N", help="How many windows or periods.")] = None,
    by: Annotated[str | None, typer.Option(help="Attribute at the first order, or 'segment: CONDITION'.")] = None,
    align: Annotated[
        str | None,
        typer.Option(metavar="OCCASION", help="Compare with the year before by lebaran, 11.11 … not by date."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Only list the metrics and their formulas.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Formula, population and check query beside the figures.")] = False,
    variants: Annotated[
        bool, typer.Option("--variants", help="The other formulas in circulation, on your data.")
    ] = False,
    customers: Annotated[
        str | None, typer.Option(metavar="PART", help="The customers behind a count of one metric, one a line.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="With --customers: the period that begins on this day.")
    ] = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="With --customers and --by: of this group.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The table of one metric as CSV.")] = False,
    lang: LangOption = None,
) -> None:
    """Show the metrics, each with its denominator, compared with the window before and the year before."""
    if listing:
        _list(lang)
        return
    with opened(shop) as own:
        when = day(as_of)
        options: dict[str, Any] = {
            "every": every,
            "window_days": window,
            "last": last,
            "by": own.breakdown(by) if by else None,
            "shift": own.calendar.aligned(align) if align is not None else None,
        }
        given = {name: value for name, value in options.items() if value is not None}
        _refuse_the_idle(customers is not None, {"--from": since, "--group": group}, as_json=as_json, as_csv=as_csv)
        if customers is not None:
            cell = {"period_from": day(since), **({"group": group} if group is not None else {})}
            lines(own.metrics.customers(_one(names), customers, as_of=when, **cell, **given))
            return
        answers = _asked(own, names, given, when)
        if as_json:
            _json(answers)
        elif as_csv:
            _csv(answers[0] if len(answers) == 1 else None)
        elif not names:
            _overview(answers, _speaker(own, lang))
        else:
            for answer in answers:
                _one_answer(own, answer, lang, when, why=why, variants=variants)
            _tell_the_last_day(own, when)


def _refuse_the_idle(listing: bool, cell: dict[str, str | None], *, as_json: bool, as_csv: bool) -> None:
    """Options that would do nothing. Raises typer.BadParameter."""
    alone = next((name for name, given in cell.items() if given is not None and not listing), None)
    if alone is not None:
        raise typer.BadParameter(f"{alone} names a cell for --customers; give that too, or leave it out")
    if sum((listing, as_json, as_csv)) > 1:
        raise typer.BadParameter("give one of --customers, --json and --csv")


def _one(names: list[str] | None) -> str:
    if names is None or len(names) != 1:
        raise typer.BadParameter("name one metric")
    return names[0]


def _asked(own: Shop, names: list[str] | None, options: dict[str, Any], when: Any) -> list[Answer]:
    """Named metrics must know the options; of all of them each takes those it has."""
    if not names:
        return own.metrics.all(as_of=when, **options)
    return [own.metrics.ask(name, as_of=when, **options) for name in names]


def _speaker(own: Shop, lang: str | None) -> Any:
    from setia.kernel.i18n import Speaker

    return Speaker.of(lang or "en", own.settings.shop.currency)


def _tell_the_last_day(own: Shop, when: Any) -> None:
    """Where figures are asked for as of a day beyond what is recorded."""
    if when is None:
        return
    with own.reading() as reader:
        last = own.scope(reader).last_day
    if (when - last).days > 1:
        typer.echo(f"The last recorded day is {last}: nothing is known of the days after it.")


def _list(lang: str | None) -> None:
    from setia.kernel.i18n import Speaker
    from setia.metrics.catalogue import FAMILIES

    speaker = Speaker.of(lang or "en")
    for family, known in FAMILIES.items():
        rows = [[m.name, speaker(m.title), speaker(m.formula), m.better] for m in known]
        table(["metric", "title", "formula", "better"], rows, title=speaker(family))


def _json(answers: list[Answer]) -> None:
    import json

    typer.echo(json.dumps([answer.as_dict() for answer in answers], default=str, ensure_ascii=False, indent=1))


def _csv(answer: Answer | None) -> None:
    if answer is None:
        raise typer.BadParameter("name one metric: each has a table of its own")
    csv_lines(answer.table)


def _overview(answers: list[Answer], speaker: Any) -> None:
    from setia.metrics.catalogue import METRICS
    from setia.metrics.reasons import REASONS
    from setia.report.cells import of_unit

    rows = []
    for answer in answers:
        about, figures = METRICS[answer.metric], answer.figures
        shown = [of_unit(about.unit, figures.get(name), speaker) for name in ("value", "previous", "year_before")]
        window = speaker.days(figures["window_days"]) if "window_days" in figures else ""
        rows.append([about.name, *shown, speaker(REASONS[answer.reason]) if answer.reason else window])
    table(["metric", "now", "before", "year before", "window, or why there is no figure"], rows, fixed=True)
    if answers:
        scope = answers[0].scope
        typer.echo(
            f"Before {scope.as_of}, {scope.time_zone}, in {scope.currency}. `setia metrics NAME` shows the parts."
        )


def _one_answer(own: Shop, answer: Answer, lang: str | None, when: Any, *, why: bool, variants: bool) -> None:
    from setia.metrics.catalogue import METRICS
    from setia.metrics.reasons import REASONS

    speaker, about = _speaker(own, lang), METRICS[answer.metric]
    rows = [[name, _plain(name, value, about, speaker)] for name, value in answer.figures.items()]
    table(["", ""], rows, title=f"{answer.metric} · {speaker(about.title)} (as of {answer.scope.as_of})")
    if answer.reason is not None:
        typer.echo(f"  {speaker(REASONS[answer.reason])}")
    for note in answer.notes:
        typer.echo(f"  {speaker.say(note)}")
    if answer.table.num_rows > 1:
        typer.echo("")
        _rows(answer, speaker)
    if why:
        typer.echo(f"\n{speaker(about.formula)}.\n{speaker(about.population)}.\nSource: {about.source}.\n")
        typer.echo(about.check_query())
    if variants:
        _variants(own, answer.metric, when, speaker)


def _plain(name: str, value: Any, about: Any, speaker: Any) -> str:
    """A figure as the terminal shows it: money with its currency, a metric's own values in its unit."""
    from decimal import Decimal

    from setia.report.cells import of_unit

    if isinstance(value, Decimal):
        return str(speaker.money(value))
    if name in ("value", "low", "high", "previous", "year_before") and about.unit != "table":
        return of_unit(about.unit, value, speaker)
    return plain(value)


MOST_ROWS = 60


def _rows(answer: Answer, speaker: Any) -> None:
    """The table: of a measure the parts and figures, formatted; of other metrics as it is."""
    from setia.metrics.catalogue import METRICS
    from setia.metrics.measure import Measure

    about, rows = METRICS[answer.metric], answer.rows()[:MOST_ROWS]
    if isinstance(about, Measure):
        _measured(about, rows, speaker)
    else:
        names = answer.table.column_names
        table(
            [name.replace("_", " ") for name in names],
            [[_plain(name, row[name], about, speaker) for name in names] for row in rows],
            fixed=True,
        )
    if answer.table.num_rows > MOST_ROWS:
        typer.echo(f"… and {answer.table.num_rows - MOST_ROWS:,} more; --csv gives them all.")


def _measured(about: Any, rows: list[dict[str, Any]], speaker: Any) -> None:
    from setia.metrics.reasons import REASONS
    from setia.report.cells import formatted, of_unit

    parts = [part for part in about.parts if any(row[part.name] for row in rows)]
    lines, without = [], {}
    for row in rows:
        unknown = speaker("not known")
        where = f"{row['period_from']}" + (f" {row['group'] or unknown}" if "group" in row else "")
        counted = [formatted(part.kind, row[part.name], speaker) for part in parts]
        figures = [of_unit(about.unit, row[name], speaker) for name in ("value", "previous", "year_before")]
        lines.append([where, *counted, *figures])
        if row["reason"]:
            without[row["period_from"]] = speaker(REASONS[row["reason"]])
    heads = [part.name.replace("_", " ") for part in parts]
    table(["from", *heads, about.name.replace("_", " "), "before", "year before"], lines, fixed=True)
    for since, why in without.items():
        typer.echo(f"  {since}: {why}")


def _variants(own: Shop, name: str, when: Any, speaker: Any) -> None:
    from setia.report.cells import of_unit

    found = own.variants(name, as_of=when)
    if not found:
        typer.echo(speaker("No other formula goes by this name."))
        return
    rows = [[speaker(v.formula), of_unit(v.unit, v.value, speaker), speaker(v.difference)] for v in found]
    table(["formula", "figure", "why it differs"], rows, title=speaker("Why is my figure different?"))


def alerts(
    shop: ShopOption = ".",
    as_of: AsOfOption = None,
    lang: LangOption = None,
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 1 where a figure left its range.")] = False,
) -> None:
    """What left its expected range last week, and which targets were reached."""
    from setia.kernel.i18n import N_
    from setia.report.watching import alert_sentences, target_sentences

    with opened(shop) as own:
        speaker, when = _speaker(own, lang), day(as_of)
        watched, wanted = own.alerts(as_of=when), own.targets(as_of=when)
    judged = [each for each in watched if each.judgement != "unknown"]
    quiet = (
        N_("Nothing left its expected range.") if judged else N_("Nothing could be judged: the history is too short.")
    )
    for sentence in alert_sentences(watched, speaker) or [speaker(quiet)]:
        typer.echo(sentence)
    for sentence in target_sentences(wanted, speaker):
        typer.echo(sentence)
    if fail and any(each.alerts for each in watched):
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("metrics")(metrics)
    app.command("alerts")(alerts)
