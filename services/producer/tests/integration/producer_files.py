"""Files in Kaggle's format for tests."""

from __future__ import annotations

from pathlib import Path

HEADER = (
    "id,click,hour,C1,banner_pos,site_id,site_domain,site_category,app_id,app_domain,"
    "app_category,device_id,device_ip,device_model,device_type,device_conn_type,"
    "C14,C15,C16,C17,C18,C19,C20,C21"
)


def line(number: int, hour: str, seed: int = 0) -> str:
    """A good row; a fifth is clicked, half are apps, a dozen campaigns."""
    click = int(number % 5 == 0)
    identity = 10**18 + seed * 10**12 + number * 7919
    if number % 2:
        place = "1fbe01fe,f3845767,28905ebd,ecad2386,7801e8d9,07d7df22"
    else:
        place = "85f751fd,c4e18dd6,50e219e0,febd1138,82e27996,0f2161f8"
    return (
        f"{identity},{click},{hour},1005,{number % 2},{place},a99f214a,{number % 9973:08x},"
        f"44956a24,1,{number % 3},{15700 + number % 40},320,50,{1700 + number % 12},0,35,-1,79"
    )


def broken(number: int, hour: str, seed: int) -> str:
    """A bad row, four kinds in turn."""
    good = line(number, hour, seed)
    identity, _, _, rest = good.split(",", 3)
    return [
        f"{identity},2,{hour},{rest}",
        f"1.0e+19,1,{hour},{rest}",
        f"{identity},1,tomorrow,{rest}",
        good.rsplit(",", 4)[0],
    ][number // 7 % 4]


def write_train_file(
    path: Path, *, hours: int, rows_an_hour: int, bad_every: int = 0, seed: int = 0
) -> Path:
    """A train file; every ``bad_every``-th row is a bad one."""
    with path.open("w") as file:
        file.write(HEADER + "\n")
        number = 0
        for hour in range(hours):
            name = f"141021{hour:02d}"
            for _ in range(rows_an_hour):
                number += 1
                bad = bad_every and number % bad_every == 0
                text = broken(number, name, seed) if bad else line(number, name, seed)
                file.write(text + "\n")
    return path
