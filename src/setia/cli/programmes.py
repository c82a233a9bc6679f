"""Commands of programmes: plan, preview, test-send, apply, work, pause, resume, stop, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from setia.cli.show import LangOption, ShopOption, opened, table

if TYPE_CHECKING:
    from setia.kernel.i18n import Speaker
    from setia.programmes.journeys.planning import Plan

Name = Annotated[str, typer.Argument(metavar="PROGRAMME", help="A YAML file, a programme, or a playbook: win-back.")]
StepOption = Annotated[int, typer.Option(min=1, max=3, help="Which message.")]


def plan(programme: Name = "win-back", shop: ShopOption = ".") -> None:
    """Show whom a programme would reach, what it may cost, and the smallest effect it could show. Changes nothing."""
    from setia.kernel.i18n import Speaker

    with opened(shop) as own:
        found = own.programmes.plan(programme)
        speaker = Speaker.of("en", own.settings.shop.currency)
    table(["", ""], _plan_rows(found, speaker), title=f"{found.programme} as of {found.as_of}")
    if not found.enough:
        typer.echo(
            "This audience cannot show the expected effect with this share held out. Start all the same, and pool "
            "several rounds; hold out more; or expect more of the offer."
        )


def _plan_rows(found: Plan, speaker: Speaker) -> list[list[str]]:
    smallest = speaker.points(found.smallest_effect).removeprefix("+")
    return [
        ["overdue now", speaker.count(found.audience)],
        ["of those reachable by e-mail", speaker.count(found.reachable)],
        ["more each week", speaker.number(found.weekly_entries)],
        ["ordered by themselves, one window ago",
         f"{speaker.percent(found.base_rate)} of {speaker.count(found.base_rate_customers)}"],
        ["held out", f"{speaker.percent(found.share, 0)}{' (proposed)' if found.proposed else ''}"],
        [f"smallest effect shown in {found.weeks_ahead} weeks", smallest],
        ["messages at most, to those who enter now", speaker.count(found.messages)],
        ["cost of messages", speaker.money(found.message_cost)],
        ["expected cost of offers", speaker.money(found.offer_cost)],
    ]  # fmt: skip


def preview(
    programme: Name = "win-back", step: StepOption = 1, shop: ShopOption = ".", lang: LangOption = None
) -> None:
    """Show one message as a customer would get it."""
    with opened(shop) as own:
        written = own.programmes.preview(programme, step, lang or own.settings.shop.language)
    typer.echo(f"{written.subject}\n\n{written.text}")


def test_send(
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="An address of your own.")],
    programme: Name = "win-back",
    step: StepOption = 1,
    shop: ShopOption = ".",
    lang: LangOption = None,
) -> None:
    """Send one message to yourself, outside ledger and measurement."""
    with opened(shop) as own:
        own.programmes.test_send(programme, step, lang or own.settings.shop.language, to)
    typer.echo(f"Handed to the mail server for {to}.")


def apply(
    programme: Name = "win-back",
    shop: ShopOption = ".",
    new_measurement: Annotated[bool, typer.Option("--new-measurement", help="Draw the held-out group anew.")] = False,
) -> None:
    """Start a programme, or put its edited file in force. `setia work` then lets customers in and writes to them."""
    with opened(shop) as own:
        running = own.programmes.apply(programme, new_measurement=new_measurement)
    typer.echo(
        f"{running.name} version {running.version} is running; {running.held_out_share:.0%} are held out "
        f"(measurement {running.measurement}). Next: setia work"
    )


def work(shop: ShopOption = ".") -> None:
    """Do one round: let customers in, move everybody on, send what may go. Run it every few minutes."""
    with opened(shop) as own:
        done = own.programmes.work()
    sent = ", ".join(f"{n} {state}" for state, n in sorted(done.sent.items()) if n) or "none"
    typer.echo(f"{done.entered} entered, {done.ordered} ordered and left, {done.planned} planned; messages: {sent}.")


def _set(state: str, name: str | None, shop: str, *, every: bool = False) -> None:
    if name is None and not every:
        raise typer.BadParameter("name a programme, or say --all")
    with opened(shop) as own:
        names = own.programmes.set_state(None if every else name, state)
    typer.echo(f"{', '.join(names) or 'No programme'}: {state}.")


Optional = Annotated[str | None, typer.Argument(metavar="PROGRAMME", help="Its name.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every programme.")]


def pause(programme: Optional = None, shop: ShopOption = ".", every: AllOption = False) -> None:
    """Hold every message back until `setia resume`; what is five days late by then is not sent any more."""
    _set("paused", programme, shop, every=every)


def resume(programme: Optional = None, shop: ShopOption = ".", every: AllOption = False) -> None:
    """Go on after a pause."""
    _set("running", programme, shop, every=every)


def close(programme: Optional = None, shop: ShopOption = ".", every: AllOption = False) -> None:
    """Let nobody in any more; those inside go on to the end. Then the one final look at the result is due."""
    _set("closed", programme, shop, every=every)


def stop(programme: Optional = None, shop: ShopOption = ".", every: AllOption = False) -> None:
    """End a programme for good: nobody enters, nobody gets another message; its measurement goes on to its end."""
    _set("stopped", programme, shop, every=every)


def results(programme: Optional = None, shop: ShopOption = ".", lang: LangOption = None) -> None:
    """Show what the programmes caused, with the verdict and the next step."""
    from setia.kernel.i18n import Speaker
    from setia.report import proof

    with opened(shop) as own:
        found = own.programmes.results(programme)
        speaker = Speaker.of(lang or own.settings.shop.language, own.settings.shop.currency)
    if not found:
        typer.echo(speaker("No programme is running."))
    for result in found:
        typer.echo(f"{result.title[speaker.language]}: {proof.verdict(result.lift, speaker)}")
        typer.echo(f"  {proof.finding(result, speaker)}")
        if result.lift.incremental is not None:
            typer.echo(f"  {speaker('Customers kept because of it')}: {proof.kept(result.lift, speaker)}")
            typer.echo(f"  {speaker('Cost per customer kept')}: {proof.cost(result.lift, speaker)}")
        typer.echo(f"  {proof.costs(result, speaker)}")
        typer.echo(f"  {proof.next_step(result.lift, speaker)}")


def add_to(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    for command in (plan, preview, apply, work, pause, resume, close, stop, results):
        app.command(command.__name__)(command)
    app.command("test-send")(test_send)
