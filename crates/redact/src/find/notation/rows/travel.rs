//! Travellers, drivers and where they are.

use crate::find::notation::Around::{Anything, Before, Behind};
use crate::find::notation::Notation;
use crate::find::notation::segment::{Place as At, Syntax, field};
use crate::kind::Kind::Place;

/// NMEA 0183.
const NMEA: Syntax = Syntax {
    fields: b",",
    parts: 0,
    repeats: 0,
    release: 0,
    end: b'*',
    is_coded: false,
    is_ended: false,
    least: 5,
};

pub(in crate::find::notation) static ROWS: &[Notation] = &[
    // Machine-readable zones: a `<` behind what begins a line of one.
    Notation {
        words: &[b"<<"],
        is_caseless: false,
        around: Anything,
        find: |scan, place, _| scan.zone(place),
        example: (
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
            &["L898902C3", "740812", "ZE184226B"],
        ),
        keeps: "L898902C37UTO7408122F1204159ZE184226B<<<<<10",
    },
    // Positions; the time and the quality stay.
    Notation {
        words: &[b"GPGGA", b"GNGGA", b"GLGGA", b"GAGGA", b"GBGGA", b"GPGNS", b"GNGNS"],
        is_caseless: false,
        around: Before(b"$"),
        find: |scan, start, end| {
            const PLACES: &[At] = &[field(2, Place), field(4, Place)];
            scan.segment(start, end, &NMEA, PLACES)
        },
        example: (
            "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47",
            &["4807.038", "01131.000"],
        ),
        keeps: "$GPGGA,123519,,,,,0,00,99.9,,,,,,*48",
    },
    Notation {
        words: &[b"GPRMC", b"GNRMC", b"GLRMC", b"GARMC", b"GBRMC"],
        is_caseless: false,
        around: Before(b"$"),
        find: |scan, start, end| {
            const PLACES: &[At] = &[field(3, Place), field(5, Place)];
            scan.segment(start, end, &NMEA, PLACES)
        },
        example: (
            "$GNRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A",
            &["4807.038", "01131.000"],
        ),
        keeps: "$GNRMC,123519,V,,,,,,,230394,,,N*4D",
    },
    Notation {
        words: &[b"GPGLL", b"GNGLL", b"GPWPL", b"GNWPL"],
        is_caseless: false,
        around: Before(b"$"),
        find: |scan, start, end| {
            const PLACES: &[At] = &[field(1, Place), field(3, Place)];
            scan.segment(start, end, &NMEA, PLACES)
        },
        example: ("$GPGLL,4916.45,N,12311.12,W,225444,A*31", &["4916.45", "12311.12"]),
        keeps: "$GPGLL,,,,,225444,V*1D",
    },
    // KML.
    Notation {
        words: &[b"<coordinates>"],
        is_caseless: false,
        around: Anything,
        find: |scan, place, end| scan.list_of_places(place, end),
        example: (
            "<coordinates>\n0.121817,52.205337,12\n0.121917,52.205437,12\n</coordinates>",
            &["0.121817,52.205337", "0.121917,52.205437"],
        ),
        keeps: "<coordinates>0,0,0 1,1</coordinates>",
    },
    // Reservations of airlines.
    Notation {
        words: &[
            b"/A", b"/B", b"/C", b"/D", b"/E", b"/F", b"/G", b"/H", b"/I", b"/J", b"/K", b"/L",
            b"/M", b"/N", b"/O", b"/P", b"/Q", b"/R", b"/S", b"/T", b"/U", b"/V", b"/W", b"/X",
            b"/Y", b"/Z",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, place, _| scan.traveller(place),
        example: ("1.1SMITH/JOHN MR", &["SMITH/JOHN"]),
        keeps: "RP/LON1A0980/LON1A0980 READ/WRITE",
    },
    Notation {
        words: &[b"DOCS", b"DOCA"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, start, end| scan.travel_document(start, end),
        example: (
            "SSR DOCS BA HK1/P/GBR/012345678/GBR/12JUL76/M/23AUG26/SMITH/JOHN",
            &["012345678", "12JUL76", "SMITH", "JOHN"],
        ),
        keeps: "SSR DOCS BA HK1/////",
    },
    // How to reach travellers, and other numbers of theirs.
    Notation {
        words: &[b"CTCM", b"CTCE", b"CTCP", b"CTCH", b"CTCB", b"CTCT", b"FOID", b"FQTV"],
        is_caseless: false,
        around: Behind(b" "),
        find: |scan, start, end| scan.contact_of_traveller(start, end),
        example: (
            "SSR CTCM BA HK1/441353555012\nSSR FOID BA HK1 PP012345678\nOSI BA CTCP 441353555012\n",
            &["441353555012", "012345678", "441353555012"],
        ),
        keeps: "SSR CTCM BA HK1\nSSR FQTV BA HK1\nSSR CTCE BA HK1/\n",
    },
    // Driving licences of North America.
    Notation {
        words: &[
            b"DAA*", b"DAB*", b"DAC*", b"DAD*", b"DAG*", b"DAH*", b"DAI*", b"DAK*", b"DAL*",
            b"DAN*", b"DAP*", b"DAQ*", b"DBB*", b"DBG*", b"DBK*", b"DBN*", b"DCF*", b"DCK*",
            b"DCS*", b"DCT*",
        ],
        is_caseless: false,
        around: Anything,
        find: |scan, start, _| scan.licence_line(start),
        example: ("DCSLEE\nDACANN\nDBB02031980\n", &["LEE", "ANN", "02031980"]),
        keeps: "DBC1\nDACNONE\nDBB00000000\nDAU070 in\n",
    },
];
