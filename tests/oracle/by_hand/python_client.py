"""python-oracledb, unmodified and thin, against the stand-in: python3 python_client.py 127.0.0.1:PORT/standin"""

import asyncio
import datetime
import decimal
import sys
import threading

import oracledb

DSN = sys.argv[1]
failures = 0


def connect(user="app", password="Secret_12345678", dsn=DSN):
    return oracledb.connect(user=user, password=password, dsn=dsn)


def refused(code, act):
    try:
        act()
    except oracledb.Error as error:
        assert error.args[0].full_code == code, str(error)
        return code
    raise AssertionError("this should have failed")


def check(act):
    """Runs at once, and says what came of it."""
    global failures
    try:
        print("ok  ", act.__name__, act() or "")
    except Exception as error:
        failures += 1
        print("FAIL", act.__name__, type(error).__name__, error)


connection = connect()
cursor = connection.cursor()


@check
def facts():
    return connection.version, connection.service_name, connection.instance_name, connection.thin


@check
def types():
    cursor.execute("select * from types")
    row, nulls = cursor.fetchall()
    assert row[:3] == ("Ünï €", "𝄞 n", "ab  ") and row[4] == 0.25
    assert row[5] == datetime.datetime(2026, 11, 25, 10, 20, 30)
    assert row[6] == datetime.datetime(2026, 11, 25, 10, 20, 30, 123000)
    assert row[8:10] == (b"\0\xff", "AAAR3sAAEAAAACXAAA")
    assert row[10].read() == "Größe 𝄞" and row[11].read() == b"\0\1\2"
    assert nulls == (None,) * 12


@check
def lobs_as_values():
    oracledb.defaults.fetch_lobs = False
    try:
        row = connection.cursor().execute("select * from types where 1 = 1").fetchone()
    finally:
        oracledb.defaults.fetch_lobs = True
    assert row[10:] == ("Größe 𝄞", b"\0\1\2")


@check
def numbers():
    oracledb.defaults.fetch_decimals = True
    try:
        rows = cursor.execute("select n from numbers").fetchall()
    finally:
        oracledb.defaults.fetch_decimals = False
    assert [str(row[0]) for row in rows] == ["0", "-1", "12.5", "-0.001", "9" * 38]


@check
def pages():
    cursor.arraysize, cursor.prefetchrows = 3, 2
    rows = cursor.execute("select level from dual connect by level <= 10")
    assert [row[0] for row in rows] == list(range(1, 11))
    assert cursor.execute("select a from empty").fetchall() == []


@check
def columns_without_running():
    cursor.parse("select * from types where id = :1")
    assert cursor.description[3][:6] == ("D", oracledb.DB_TYPE_NUMBER, 14, None, 10, 2)


@check
def errors():
    refused("ORA-00054", lambda: cursor.execute("ALTER TABLE shipments ADD x NUMBER"))
    refused("ORA-00900", lambda: cursor.execute("select * from forgotten"))
    cursor.execute("create or replace procedure p is begin x; end;")
    assert cursor.warning.full_code == "DPY-7000"


@check
def counts_and_transactions():
    cursor.execute("update t set a = :1 where b = :b", [1, "x"])
    assert cursor.rowcount == 42
    connection.commit()
    connection.rollback()
    cursor.executemany("insert into t values (:1, :2)", [(1, "a"), (2, None), (3, "c")])
    assert cursor.rowcount == 3
    connection.autocommit = True
    cursor.execute("update t set a = 1")
    connection.autocommit = False


@check
def binds():
    cursor.setinputsizes(n=oracledb.DB_TYPE_NVARCHAR, z=oracledb.DB_TYPE_TIMESTAMP_TZ)
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 600000)
    cursor.execute(
        "insert into b values (:s, :n, :i, :d, :f, :dt, :t, :z, :r, :nul, :long, :yes)",
        s="Ünï", n="𝄞", i=-7, d=decimal.Decimal("1.5"), f=2.5, dt=datetime.date(2026, 1, 2), t=moment, z=moment,
        r=b"\0\xff", nul=None, long="x" * 40000, yes=True,
    )
    lob = connection.createlob(oracledb.DB_TYPE_CLOB)
    lob.write("Größe")
    assert lob.read() == "Größe"
    cursor.execute("update clobs set c = :1", [lob])


@check
def values_that_come_back():
    number, text = cursor.var(int), cursor.var(str)
    for _ in range(2):
        cursor.execute("begin p(:1, :2, :3); end;", [1, number, text])
        assert (number.getvalue(), text.getvalue()) == (5, "five")
    cursor.callproc("q", [1])
    cursor.execute("insert into r (a) values (:a) returning id into :id", a=1, id=number)
    assert number.getvalue() == [7]


@check
def attributes():
    connection.module, connection.action, connection.client_identifier = "m", "a", "c"
    connection.current_schema = "SHOP"
    connection.ping()


@check
def time_limit():
    connection.call_timeout = 300
    try:
        refused("DPY-4024", lambda: cursor.execute("begin sleep; end;"))
    finally:
        connection.call_timeout = 0
    assert cursor.execute("select user from dual").fetchone() == ("APP",)


@check
def cancel():
    threading.Timer(0.3, connection.cancel).start()
    refused("ORA-01013", lambda: cursor.execute("begin sleep; end;"))
    assert cursor.execute("select user from dual").fetchone() == ("APP",)


@check
def logging_on():
    refused("ORA-01017", lambda: connect(password="wrong"))
    refused("ORA-28000", lambda: connect(user="locked"))
    refused("ORA-28001", lambda: connect(user="expired"))
    assert connect(user="expiring").warning.full_code == "ORA-28002"
    refused("DPY-6005", lambda: connect(dsn=DSN.rsplit("/", 1)[0] + "/elsewhere"))


@check
def a_cut_connection():
    refused("DPY-4011", lambda: connect().cursor().execute("select * from gone"))


@check
def pipeline():
    async def run():
        other = await oracledb.connect_async(user="app", password="Secret_12345678", dsn=DSN)
        steps = oracledb.create_pipeline()
        steps.add_fetchall("select user from dual")
        steps.add_execute("update t set a = 1")
        steps.add_commit()
        results = await other.run_pipeline(steps)
        await other.close()
        return results[0].rows

    assert asyncio.run(run()) == [("APP",)]


connection.close()
sys.exit(failures > 0)
