"""What the simulated modem remembers: settings, SIM card, radio."""

from __future__ import annotations

from dataclasses import dataclass, field

from at.simulator.personality import Personality


@dataclass(slots=True)
class Settings:
    """What commands set and ATZ / AT&F / a restart put back."""

    echo: bool
    cmee: int
    text_mode: int
    charset: str
    csdh: int
    cnmi: tuple[int, int, int, int, int]
    verbose: int = 1
    quiet: int = 0
    s3: int = 13
    s4: int = 10
    s5: int = 8
    csms: int = 0
    csmp: tuple[int, int, int, int] = (17, 167, 0, 0)
    cmms: int = 0
    cops_format: int = 0
    reporting: dict[str, int] = field(default_factory=dict)  # +CREG and its kin: <n>
    plain: dict[str, int] = field(default_factory=dict)  # settings without any effect
    several: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of more than one number
    broadcast: tuple[int, str, str] = (0, "", "")  # +CSCB: <mode>,<mids>,<dcss>

    @classmethod
    def fresh(cls, personality: Personality) -> Settings:
        """Return the factory settings."""
        return cls(
            echo=personality.echo,
            cmee=personality.cmee,
            text_mode=personality.text_mode,
            charset=personality.charset,
            csdh=personality.csdh,
            cnmi=personality.cnmi_default,
        )


@dataclass(slots=True)
class SimCard:
    """The SIM: what +CPIN? answers, and the tries that are left.

    state: "READY", "SIM PIN", "SIM PUK" or "" (no card); "SIM PIN2" and "SIM PUK2" work too, and
    "NOT INSERTED" is an absent card told as a state. locked: asks for the PIN at power-up.
    """

    state: str = "READY"
    pin: str = "1234"
    puk: str = "12345678"
    locked: bool = False
    pin_tries: int = 3
    puk_tries: int = 10
    iccid: str = "89441000303211234567"
    imsi: str = "234100123456789"
    number: str = "+447700900123"
    smsc: str = "+447785016005"
    smsc_kind: int = 145
    readable_at_s: float = 0.0  # the card answers from then on

    @property
    def works(self) -> bool:
        """Messages can be read and sent: PIN2 guards other services."""
        return self.state in {"READY", "SIM PIN2", "SIM PUK2"}

    @property
    def absent(self) -> bool:
        """There is no card, whether +CPIN? says so by an error or by a state."""
        return self.state in {"", "NOT INSERTED"}

    def power_up(self) -> None:
        """Ask for the PIN again where the card is locked by one."""
        if self.state and self.locked:
            self.state = "SIM PIN" if self.pin_tries else "SIM PUK"

    def enter_pin(self, pin: str) -> bool:
        """Try a PIN; the last refused try leaves the card waiting for its PUK."""
        if pin == self.pin:
            self.pin_tries = 3
            self.state = "READY"
            return True
        self.pin_tries = max(self.pin_tries - 1, 0)
        if not self.pin_tries:
            self.state = "SIM PUK"
        return False

    def enter_puk(self, puk: str, pin: str) -> bool:
        """Unblock with the PUK and set a new PIN."""
        if puk == self.puk:
            self.pin_tries, self.puk_tries, self.pin, self.state = 3, 10, pin, "READY"
            return True
        self.puk_tries = max(self.puk_tries - 1, 0)
        return False


@dataclass(slots=True)
class Radio:
    """The network as the modem sees it.

    registration: <stat> of +CREG (TS 27.007 §7.2): 1 home, 5 roaming, 0/2/3 none, searching,
    denied. access: <AcT>. rssi: +CSQ scale 0-31, 99 unknown. functionality: +CFUN.
    """

    registration: int = 1
    access: int = 7
    rssi: int = 17
    operator: str = "Testnet"
    short_name: str = "Test"
    plmn: str = "23410"
    area: str = "1A2B"
    cell: str = "01234567"
    functionality: int = 1

    @property
    def stat(self) -> int:
        """<stat> as it is now: not registered while the radio is off."""
        return self.registration if self.functionality == 1 else 0

    @property
    def registered(self) -> bool:
        """SMS can be sent and received."""
        return self.stat in {1, 5}

    @property
    def dbm(self) -> int:
        """Signal of +CSQ in dBm."""
        return -113 + 2 * self.rssi if self.rssi <= 31 else -113


@dataclass(slots=True)
class Faults:
    """What is wrong at the moment. All off by default; change the fields at any time.

    mute: input is lost and nothing is said. deaf: AT answers OK, every other command is
    swallowed, nothing unsolicited is said. send_codes: +CMS ERROR numbers for the next sends,
    0 for one that succeeds. send_delay_s: the network takes this long for a send.
    send_silent: so many sends are carried out, yet never answered. final_delay_s / final_delays:
    so many next final result codes come that late. lose_announcements: so many +CMTI / +CDSI (and
    their kin) are never said; -1: all. chatter: probability of an innocent unsolicited line after
    every line of an answer. report_status: TP-ST of status reports. report_delay_s: when the
    report follows its message; None: never.
    unreadable: slots of the memory that is read whose record is damaged: +CMGR there, and every
    +CMGL that comes to it, is +CMS ERROR: 320. clock: what +CCLK? always tells; "": the time.
    interleave: what the modem says by itself does not wait for the end of an answer that is
    still on the line, only for the end of its current line.
    noise: probability of rubbish after a line; noise_kind: "text", "binary" or "both".
    drop_out, drop_in: probability that a byte from the modem / to the modem is lost;
    double_out, double_in: that it comes twice.
    """

    mute: bool = False
    deaf: bool = False
    send_codes: list[int] = field(default_factory=list)
    send_delay_s: float = 0.0
    send_silent: int = 0
    final_delay_s: float = 0.0
    final_delays: int = 0
    unreadable: list[int] = field(default_factory=list)
    clock: str = ""
    lose_announcements: int = 0
    chatter: float = 0.0
    report_status: int = 0
    report_delay_s: float | None = 0.0
    interleave: bool = False
    noise: float = 0.0
    noise_kind: str = "both"
    drop_out: float = 0.0
    drop_in: float = 0.0
    double_out: float = 0.0
    double_in: float = 0.0
