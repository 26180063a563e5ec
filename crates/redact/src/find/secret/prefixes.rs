//! Prefixes of the tokens of services. Public knowledge: the services print them in their
//! documentation so that leaks can be found. To add a service, add a row.

use super::Alphabet::{self, Hex, Plain, Upper, Url, Wide};

/// A prefix, and what follows it.
pub(super) struct Prefix {
    pub(super) text: &'static str,
    /// The fewest characters behind it.
    pub(super) least: usize,
    pub(super) alphabet: Alphabet,
    /// What may be behind it. Apart from it, so that no search for leaks finds a token here.
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are tests"))]
    pub(super) example: &'static str,
}

const fn row(
    text: &'static str,
    least: usize,
    alphabet: Alphabet,
    example: &'static str,
) -> Prefix {
    Prefix { text, least, alphabet, example }
}

/// In their order: of two that fit, the first counts.
#[rustfmt::skip]
pub(super) const PREFIXES: &[Prefix] = &[
    // Amazon's key ids.
    row("AKIA", 16, Upper, "454ML6LG4TJFCZ4K"),
    row("ASIA", 16, Upper, "AEDCMPB5U4MOS7AF"),
    row("ABIA", 16, Upper, "5R2FQUOSBEGZGSYE"),
    row("ACCA", 16, Upper, "BANND6YZ2EMRVFTV"),
    row("AROA", 16, Upper, "A2HIPGAD57LM4MI2"),
    row("AIDA", 16, Upper, "YHZ2NARTBNLZGCJN"),
    row("AGPA", 16, Upper, "4QAVSYEEFNPAXX5I"),
    row("ANPA", 16, Upper, "6IYLJTOPMKMY6F2D"),
    // Google, Firebase.
    row("AIza", 30, Url, "ggcG9qpVTzqA05MFsHl7UeioEJP2NN"),
    row("ya29.", 20, Url, "ern66nVberACpdclsxHK"),
    row("1//0", 30, Url, "ifxi5CvQUSHL8iLc7bE6wSt9cbMOeE"),
    row("GOCSPX-", 20, Url, "eUtuieeCIxVc57VVTiY9"),
    // Code hosts and registries.
    row("ghp_", 20, Plain, "6vwfRE5e32A8Yb3FKaNQ"),
    row("gho_", 20, Plain, "yyLaMeffOhq4AUvy7VSL"),
    row("ghu_", 20, Plain, "DCD1IfHWGbtMfEbo9ShF"),
    row("ghs_", 20, Plain, "XNQ6Fq5axtjRNmHkW5vQ"),
    row("ghr_", 20, Plain, "7CF5puzQqmOBZZW6m4ny"),
    row("github_pat_", 20, Url, "oL6uniiFw152cTe8r0kh"),
    row("glpat-", 16, Url, "CEr7n1AyOHFRuT11"),
    row("gldt-", 16, Url, "NCue1cr3McRTrKwt"),
    row("glrt-", 16, Url, "PYKbPizDmbX1rpXj"),
    row("glptt-", 16, Url, "YdOhCgOIPOZx9eRm"),
    row("glsoat-", 16, Url, "m0EqlTaWEITclorX"),
    row("glcbt-", 16, Url, "wIS8HGNWkz2YS5of"),
    row("npm_", 30, Plain, "A75UyiCDmO46ayJKP4GY08vDuPngU3"),
    row("pypi-", 40, Url, "0ZP7Thnp5yftIY7uq6T2bwGfcCvJAXrF6bnZ3eBZ"),
    row("rubygems_", 30, Hex, "15a4f4ef27e9589c6948f6d30c01c3"),
    row("cio", 32, Plain, "FfSke7IDA69Z7zrpEFivB50756EHugmA"),
    row("dckr_pat_", 20, Url, "Nb7qiSXbcmjoaRsuUwpN"),
    row("dckr_oat_", 20, Url, "FgFULh2GNqTmSH4BbyOA"),
    row("ATATT3", 40, Wide, "0HNkIn3OIOnHn2INL2io6VOZw5luMu57mnXm4gi4"),
    row("ATBB", 24, Plain, "piUfqygB18AIYTimzORZbgmK"),
    row("NRAK-", 20, Upper, "WXHVME6GBC6JMLHNLKSG"),
    row("NRJS-", 15, Hex, "14e23acedbd6b01"),
    // Chat and mail.
    row("xoxb-", 10, Url, "2mlADxVxz6"),
    row("xoxp-", 10, Url, "mMkgGYau5f"),
    row("xoxa-", 10, Url, "Z1T436O8zK"),
    row("xoxe-", 10, Url, "MmGLvZWqr6"),
    row("xoxe.", 10, Wide, "hVVXk07zi5"),
    row("xoxr-", 10, Url, "v4ISxXBWlz"),
    row("xoxs-", 10, Url, "7UleZvtEga"),
    row("xoxo-", 10, Url, "4wO5Ndor89"),
    row("xoxc-", 10, Url, "7tvnQzKlIe"),
    row("xoxd-", 10, Wide, "7GFPnShWzK"),
    row("xapp-", 20, Url, "7hNgVpqCzGdWmPyagqqr"),
    row("SG.", 40, Wide, "5vJIGA9HK2gOCZPeJMQW9cy78kyEk2FINMdB8FAs"),
    row("key-", 32, Hex, "c9b9f89900715dc1ac1a27df8713e473"),
    row("xkeysib-", 40, Url, "dNADhn3dwHjhxCiQADMqOLRAxXVH0i8sUipEhG5t"),
    row("SK", 32, Hex, "b8868767611088d013782257bffb6aaf"),
    row("AC", 32, Hex, "423e6ed8c4b4a95db3ea22dfe9029629"),
    // Payment.
    row("sk_live_", 16, Plain, "FUWSus4jowQUux6h"),
    row("sk_test_", 16, Plain, "uTCKM658R6rCHZtD"),
    row("rk_live_", 16, Plain, "uoz97U5Hpfx1xbxR"),
    row("rk_test_", 16, Plain, "zLyYmVKxZyIj1LKl"),
    row("pk_live_", 16, Plain, "lfWD42sZboHdIkKs"),
    row("whsec_", 20, Wide, "9bP1ZBeLItYIfvfrVg5u"),
    row("sq0atp-", 20, Url, "fbOPjgV0PBpToFW6HvWD"),
    row("sq0csp-", 30, Url, "zwvZ9vRiFFIZUeTN6cAW0Qw2aZy1f4"),
    row("EAAA", 50, Url, "D9IObHxTaZhA7A6jpVkOyRkunyBHsr4dEtUhtPjX6l6dWDbLE6"),
    row("EAACEd", 20, Plain, "ZcugmlwnLpMTEMGoCl5r"),
    row("EAA", 80, Plain, "zl6W7tOJ80JE2qF4z69vQJX9fE3ozdn8iZZyHYHXrYdQ7p5a3E5xCYpTAM3kAkXujq63ZHiOVNrHIdjK"),
    row("access_token$production$", 30, Wide, "Xlan062j0ifwrNTHg4ESDf9VLI2Gtb"),
    row("shpat_", 30, Hex, "6d62e61df59a9c29e2b243ce3e0cf7"),
    row("shpca_", 30, Hex, "93e0649c9ac2866c3a98faec234345"),
    row("shppa_", 30, Hex, "56c1e237153dd2ad464cfad0ca708a"),
    row("shpss_", 30, Hex, "6a9e3c6a935897b46606247fdaa2b8"),
    row("rzp_live_", 14, Plain, "D4hCUip5KIIJeJ"),
    row("rzp_test_", 14, Plain, "6qk6V50vMjh70a"),
    row("live_", 30, Plain, "sR5xpWKx1klMJZeDczlY78QitWQ2V6"),
    row("APP_USR-", 20, Url, "7NLOZWbkmADcjHyhKzlv"),
    // Models.
    row("sk-ant-", 20, Url, "HiqpK7vdPYcUQYjz9FMg"),
    row("sk-proj-", 20, Url, "EwA5N6SKWAWsF4D152SA"),
    row("sk-svcacct-", 20, Url, "0BhKh58HvHHBA5bu6dsU"),
    row("sk-or-", 20, Url, "N5BUyMuWYt4L4eph2CpG"),
    row("sk-", 20, Url, "3zdESgH6pItQz8p4e6U9"),
    row("hf_", 30, Plain, "3Qx3IAKZkoPVAKh5egHYih4IK8Dasp"),
    row("gsk_", 30, Plain, "UtbuleC5C0HzjwSLoctbD5utuFj7XX"),
    row("r8_", 30, Plain, "E4nms27S5dmu12w5EblO4SJmIOpm84"),
    row("pplx-", 30, Plain, "dPgtU0u95r3AT4ivS98XCAfko3thTS"),
    row("xai-", 40, Plain, "mrlUpGQsYrxZQH4hLHot57lQoriOQfDeC6HeH6ca"),
    // Clouds and tools.
    row("dop_v1_", 40, Hex, "98d25967580541ec0f152baf19553d7e878f7f81"),
    row("doo_v1_", 40, Hex, "61e5a40fde802357419d1a8f25c875fe1adeb614"),
    row("dor_v1_", 40, Hex, "f44e107d42c9fd2179837de27b9a615c1a5ec6cc"),
    row("hvs.", 20, Url, "7dnAwplYJZkEnznMDWtE"),
    row("hvb.", 20, Url, "CFORl3FnIyAedSrx8rNb"),
    row("hvr.", 20, Url, "HlVqGzK7PTnrgxdjU7Xx"),
    row("s.", 24, Plain, "iXpU16hbu1yCf24yuqX4HQdt"),
    row("dapi", 32, Hex, "c7f1644169ddf48aec468ec4cb739bb6"),
    row("pul-", 40, Hex, "410f0926b3b782d3cf1fca9f875c6f5b72ad4f89"),
    row("lin_api_", 30, Plain, "S6b5zhx6e6zrdyF2LtEUu4qebcwu5x"),
    row("secret_", 40, Plain, "Ktq0Q4lPEyNv95xbKT8nXeOdNIANAere1D4Cy96y"),
    row("ntn_", 40, Plain, "cZiRGrtFxEbjMmroqRopHa7IzapJF2PWJfN0J41S"),
    row("figd_", 30, Url, "Yvqwg4buZTnSzRk9m0kkvNSFZKsxAs"),
    row("dp.pt.", 40, Plain, "xVQIFpPpxuTl6GVi4ee0g4Tth2CGXREckN3A3Edw"),
    row("dp.st.", 40, Wide, "qzGVYSzqTOqxTRulv2Wn1K1iKAPTiNV1rZkimyNQ"),
    row("sbp_", 40, Hex, "9750f488d8cc4153169b3ca0f5b29e97cd4c694e"),
    row("PMAK-", 50, Url, "l1gJ75q4FBhju4brKKjrOzruofEmxJqJdjea5WtQfalvEiYm3A"),
    row("phc_", 30, Plain, "EcAwZJzJdnJNQ0Nqrm8s3pZCK18Udl"),
    row("phx_", 30, Plain, "2b8kIhRerwbWJteGDa4ne9xaXHqZpY"),
    row("sntrys_", 40, Wide, "7VFztZI0QXZXg78Ez1TAq56NbaKjouyUxGQrZxOO"),
    row("sntryu_", 40, Hex, "eb982a38a65614965b344bb5d00c1c3a605a23ad"),
    row("glc_", 32, Wide, "E98oFAXT4l0reRy86u4lXwHajUOQy6Pd"),
    row("glsa_", 32, Url, "nNNw4C2TOBGK7hh1VSVDBQDA1yGoyMIK"),
    row("eyJrIjoi", 40, Wide, "cG6cHOCCsLcMd7ujIDvqVNumVEJzd39iW5Fhol17"),
    row("tskey-", 20, Url, "PY8j1hZgGqqel3cTvqHZ"),
    row("CCIPAT_", 30, Wide, "wDnIa3BmFr9PpegJCYWF4peZF2dX3J"),
    row("CFPAT-", 40, Url, "5eY8jZxlgvc7w93o1shAlNyb2RND5FefPnIOu49U"),
    row("bkua_", 30, Hex, "6dc0aa866545e14838bb96026b9d64"),
    row("FLWSECK", 30, Url, "eOrBx0NArDiGh8gwGTApFLhsh34s82"),
    row("LTAI", 16, Plain, "fRPDo7EymVAMoCOe"),
    row("AKID", 32, Plain, "xAvsLCQ9rsQSaRNpaAxiL53qyArvg042"),
    row("AAAA", 130, Wide, "XLgIQgD5nfYxbxbULQSw5083bQOjEexkDGuEQPMdobYzB1oPIShdeDPzYP7nHLnFx1jGzgVYfak9PSNYV5qQZUEX4hBDjbx3x8154bgwAIJIhXYgtGKheKpiQfGGtswXpp"),
    row("v1.0-", 100, Url, "LADdnLCkJgDi25gZ2GjjKHlANN93T9hA0aojZ0hVVTyksHNbzhFt69IPW2XcyAtfnqIhQ6Av5FnP4J8iKG75gzOtrVMqoxfBYEyw"),
    row("rdme_", 60, Plain, "PBvChdt1HdkHyJuz0oRgTxcuxE8oHVHFUaxAL9gaSLw9px9MSx1tnMWLdulF"),
    row("pscale_tkn_", 30, Wide, "hHWWwd2fnqLrZY8BP3xzfsKRgfzo1q"),
    row("pscale_pw_", 30, Wide, "vcuj0jYsPsdWFdzNfJi7vOTbN7RWnL"),
    row("tfp_", 40, Wide, "Ia0VEAvRO660elYfCRWiyWCRBZhCu5VUe1h91wQ1"),
    row("duffel_live_", 40, Url, "JThShztS9PJh73ngAuIi18hj3rEAc5B7ymRS7FFB"),
    row("fo1_", 40, Url, "SZyGXEgJV2kXLumaw0kPwyLZHRyCKL1DwXLjETzu"),
    row("FlyV1", 40, Wide, "fSFoOqwUAKcq6eZ0qypTnB6NeJlA6HDyFholWNgR"),
    row("oauth2v2_", 40, Wide, "tG2jcSwKkJFvFjC8WwZtgpYjnm3IVNwhkWmLk57x"),
    row("AGE-SECRET-KEY-1", 50, Upper, "UXGSQHPWBLQSSQIQ7ERBSRJYKIFKQTD3XO64XWNRWOEHETAGHM"),
    row("pat", 60, Wide, "xtw3jd8QQejbAKj5R2Y6HIeBHRlfHSwNF7m4TgAiFmfSFbJ85Jfi5tqvoSr8"),
    row("vercel_", 20, Plain, "jI837j2B7YbMFYLRKN5N"),
    row("nfp_", 30, Plain, "u7kfXHk96cght3t9bAcj1lSMH2LXWQ"),
    row("np_", 40, Plain, "Zfaxe9Ynz1oAwvowza5XpqdLxHUvHRwDPp74Almj"),
    row("AZ", 48, Upper, "NQ46OVLPQQBLTOETVNCPFFP4NC2IXWEEYI2OVNYSE6AD7CYE"),
    row("MTA", 60, Wide, "B6kjenk4F9o7uvi7ijZTu8cmpiSRp42U48QDxxUh7rj83elUwRdhtulLhrHH"),
    // More of the same, by the manuals of the services.
    row("glft-", 20, Url, "I0KCWZHq8ffPobe6tW77"),
    row("glimt-", 20, Url, "RGlk9vOKgsEY5MDwM2FD"),
    row("glagent-", 40, Url, "cmj8ERbCWLzIdskclzV0n9bboBZ9FNPeDblvaktc"),
    row("gloas-", 40, Hex, "a8bf8a5b4dde8af75e95a7c5a930bf3fc0fc8fe1"),
    row("glffct-", 20, Url, "fuFOEdPjbrICdfrZdpL1"),
    row("ATCTT3", 40, Wide, "zZcqm5OGgBwJd8eF2Ejsu1QGGv7mPnS1CZtQ6iRp"),
    row("CLOJARS_", 60, Hex, "8953f9710afc25389c985841ddc08ff7cb105f7734dae85083aa1099e1a3"),
    row("oy2", 43, Plain, "rnHFecg3TIdEWVHpsm7LxpBuzevd9wsH382OIAnA6pY"),
    row("CCIPRJ_", 30, Wide, "E69fhBBERAWOJZP78G58qLIAaHfmlX"),
    row("sqp_", 40, Hex, "1458a811e1d3f681208ee4df7c7d12471fc0c2ce"),
    row("squ_", 40, Hex, "367fa3a907dc68128e6bd6eda60d92efecc2797e"),
    row("sqa_", 40, Hex, "d6972ac0dbd82c7c96d1f16c2abf88d504a08afa"),
    row("xwfp-", 20, Url, "k7OY5FQFs5Z9ARjgMdDD"),
    row("xsmtpsib-", 40, Url, "HJCKb9swBWdeatISkSx1nyTrjwLIGbIxzQzjYtO3"),
    row("shpua_", 30, Hex, "7650320680f109a6baa6fa0e9b77a4"),
    row("shptka_", 30, Hex, "aed555fbb6a7fb17f1203a1bfc23d0"),
    row("shippo_live_", 40, Hex, "5814a1e970b7b0799800b9d585353f69e7dcb8ee"),
    row("shippo_test_", 40, Hex, "79099c11e96bebe2c76237ad919b2304c3ed152e"),
    row("EZAK", 54, Plain, "V5pRFn7CPIZvK6ONbaoUQ7nMepWtvl95JHgOlqm0YUoWkdwcUZTiYm"),
    row("EZTK", 54, Plain, "ObVk4EP9uZq50VluOhNa7Rc3Kty40QqyTPlAFP9cpLrr6mRfeqlSpy"),
    row("access-production-", 36, Url, "s72QShOQPOSy7TuFadAFLyhHqdhbxMxJvyj8"),
    row("access-sandbox-", 36, Url, "LP6MlnGaFQXPKOpCmFUceI39cimyDo2BNyVk"),
    row("sess-", 40, Plain, "WxU4dw0ejrkNc5bp4PyjfTci2vM6ZcLhoslmChBm"),
    row("csk-", 40, Plain, "eOHkek0IYyAjyKVGgyaEtcNbmZv7aB4YL2zsIs8Q"),
    row("fw_", 22, Plain, "ikyZT4x7Tg6PcqstspWYgS"),
    row("lsv2_pt_", 32, Wide, "U7PlOz32vWqhJhVA3RxLMR9K54K44ro1"),
    row("lsv2_sk_", 32, Wide, "EPr9KjqzFKfiXXPdBOLrnu9MymrCQ23b"),
    row("pcsk_", 40, Wide, "qlxGSMmI2qmyJMvUahaSaOvPrEGObeBT6oZElUD2"),
    row("tvly-", 30, Url, "E7RAruJzpuUVYDIRNj6YP99miNMkRc"),
    row("tgp_v1_", 40, Url, "AA2lIUmKRRw9Pdxg7ciDR0qRqJD21x8hdPPbEogb"),
    row("jina_", 40, Plain, "Lk2ekIwifMS03w6hxQPUx4BJOLp3dRIusCXsOBDn"),
    row("nvapi-", 60, Url, "aCE2qEM6GkGrdIixMxRg9YUseDMGAZrz96RE7zRE2wfhcSzIf9R9jCjKBgMo"),
    row("dkea", 32, Hex, "4e99bc6005f44543246ae5191a4d231a"),
    row("dp.ct.", 40, Plain, "Ez56YWn1c6MlEFtt6AnXP9eA7k8DNludUA57Yc0G"),
    row("dp.sa.", 40, Plain, "pi2IG8I3spkJHu3kMVqWpvRA3S7UoDehGgokp0AF"),
    row("dp.scim.", 40, Plain, "2PFxmxeloMMpifSGMHNX1MY4YBApPx6AYxhPqwDw"),
    row("dp.audit.", 40, Plain, "J2rZSRj1syRPcqyuKgZl66tLyOhSjOH5OfIqXWFo"),
    row("fm2_", 60, Wide, "g4ewSE8mZs7BZrtUEbnOKZXuFmahAefYVMJapDDMFuucHACwqixN7W3RKhiv"),
    row("rnd_", 28, Plain, "ZOflJPgGflANktuKs5s9fWDPcEiX"),
    row("sb_secret_", 30, Url, "uQhkHH3AZGVT5SMK0YW0Cf0jVd3k99"),
    row("napi_", 40, Plain, "XthCiDkKKrOXNvg2vZAaFJyf54newrPXQLWQlAvH"),
    row("HRKU-", 36, Url, "PnBDcqdRDgJiMmKIILFa9n1PyOkE0QClSW30"),
    row("NRII-", 30, Url, "F7LnPhxkBo65f6aE1i6wfpsP2UIXwB"),
    row("dt0c01.", 80, Wide, "9DbDXxYDGR8T4uKSjjcHyKw7cJf5BQ8o1wbfuoxhtYidLR1NyvllgvaCWXolU0Y8fmmyuEXfV1tcCFwf"),
    row("hcaik_", 40, Plain, "EgY9q7Ze6tMv9H8gk2vm7ZohDt5Ce1LRunf5A3ZG"),
    row("sgp_", 40, Plain, "cdss6sZAz8eM20AeApzUMvCoFeXdtArIsz7KIsxb"),
    row("essu_", 40, Wide, "DRcvLFYyfrNdasWtkhpbZEMbU4bxaCIHkbAgzY1J"),
    row("ops_eyJ", 200, Wide, "PFgwyWrGyY91S5YUjRtD9I5L1HH026d1W0NIMJ64dMEiya8Lk5Krj5WWFhVOt04Bavo5Uy4SXXr9fATDU7dL7SHecCEpvkgL4y7DhZCirJRGhlvyAGEHBiMt8b7V621HoTpmD6PEMTwQstPbif7nU818cQpgphYf53qJgC9r6TLEiVwX6GWr9HMQSuVOijq8nloV9h8c"),
    row("AKCp", 68, Plain, "7S1A2P0vKRe4U71V1dczdGUWFd5LRC2RmQuSBxdOeW5yUTZzD8njCCR0JTgkaz6p1oio"),
    row("pnu_", 36, Plain, "9A0SL6iRZbQ3TMlUtNlwfvOewQd2RJ6dQDMF"),
    row("PMAT-", 26, Upper, "E55AKXXDAU77MCN5ZAUWDZUREG"),
    row("sl.B", 100, Url, "KtVzVhfMGBwZcvNRmKHtouaHtA5SsvF2HNrSIweAw5s80XXZSMi3tVydwipVg11IXNk0KgNCMDiy9uG9rdCy0eVQbqgnktDMBu2Q"),
    row("lin_oauth_", 40, Plain, "5Jn4V6Tq50wfMLZeEgG8SioTUHLa0Yid24X0UF2C"),
    row("AQVN", 35, Url, "FbCSrcPHa7DRhvUlSAvUX1LiAGH1r3sS4sw"),
    row("LTAI5t", 18, Plain, "fXzxnm6ag9fWXLFdEk"),
    row("AKLT", 40, Plain, "6dTNvNy9srofobj2bkFLAAxJ84ut0mIBgDbwMN3G"),
    row("SWMTKN-1-", 60, Url, "dpSiouR21ZUmpsjG9F6g7nIFd0x26neksRca46w3f3wcn8BpN2QogwItdiCg"),
    row("SWMKEY-1-", 40, Wide, "ZVqC0hpKz0YqaIJyIpTC8jSFomhE2soJfGSwA3dH"),
    row("sha256~", 40, Url, "hd7O2D4UypkeUC8JnapiEfwZ2M1EAh9PaisibMqP"),
    row("signkey-prod-", 60, Hex, "49e4cf05f5f6ab61eefe498d9689242be2df62cee13d4e2432d34322e581"),
    row("zpka_", 30, Plain, "bmwBg2V8iLeqkcnJwA27GnEnnbAbfZ"),
    row("unkey_", 20, Plain, "03zjPawKvplNm6VHrUMJ"),
    row("waka_", 36, Url, "sqWmqV3ZRn5Jwk9JLbqYPctUhXcLNppegmXR"),
    row("lip_", 20, Plain, "j5WDrmx47a1O1UlML7pN"),
    row("fio-u-", 60, Url, "oLNugyMKspPz3kU3oQbpxhBi2ZJsH4M0JcRkJYJMpshKCt4g87sbKzH7DEl9"),
    row("tk-us-", 48, Url, "YNfSoRr0mamQflHTlLPRMYNYEENjsGDHSHnrUgL7tNrJWXns"),
    row("p8e-", 32, Plain, "txWBFV5UJlw9jGFHvNkyCfhbuLWT2NoY"),
    row("bkaj_", 30, Hex, "dfb821dff5cb9504555792e06e2e5b"),
    row("phs_", 40, Plain, "xCs3YhNIE0JaYKMBum9MRrvJG3Lc6PpFwsFkConC"),
    row("rpa_", 40, Plain, "oBwM4rDNOEOY7ZlpNRITvxqBTBFRqM3Nqy3CzzBK"),
    row("dG9rO", 50, Plain, "jH6JBJo8jVmfwhaHd306rbYl7Fg1Db9kuaRdzuEF09NPU2pLg6"),
    row("vcp_", 40, Plain, "cRMpExxEUhA7BEomkFWZFroLdfNpdlvGzSgoaS7L"),
    row("sntrya_", 60, Hex, "81a7fe658231321068ea4e7e6d7034275890bde80fc83cada2bc7b0f94e8"),
];

/// The prefixes that may begin with these two bytes, in their order; of hardly any word.
pub(super) fn prefixes(first: u8, second: u8) -> impl Iterator<Item = &'static Prefix> {
    let mut at = CHAINS.0.get(chain(first, second)).copied().unwrap_or(0);
    std::iter::from_fn(move || {
        let prefix = PREFIXES.get(usize::from(at).checked_sub(1)?);
        at = CHAINS.1.get(usize::from(at) - 1).copied().unwrap_or(0);
        prefix
    })
}

const CHAIN_COUNT: usize = 1024;

const fn chain(first: u8, second: u8) -> usize {
    (first as usize * 31 + second as usize) % CHAIN_COUNT
}

/// The first prefix of each chain, and the one behind each prefix, both counted from 1.
static CHAINS: ([u8; CHAIN_COUNT], [u8; PREFIXES.len()]) = chains();

#[allow(clippy::indexing_slicing)]
const fn chains() -> ([u8; CHAIN_COUNT], [u8; PREFIXES.len()]) {
    assert!(PREFIXES.len() < 256);
    let mut firsts = [0; CHAIN_COUNT];
    let mut behind = [0; PREFIXES.len()];
    let mut at = PREFIXES.len();
    while at > 0 {
        let prefix = PREFIXES[at - 1].text.as_bytes();
        let chain = chain(prefix[0], prefix[1]);
        behind[at - 1] = firsts[chain];
        firsts[chain] = at as u8;
        at -= 1;
    }
    (firsts, behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::{Carried, find};
    use crate::kind::Kind;

    #[test]
    fn the_example_of_each_row_is_a_key_and_its_beginning_is_none() {
        let mut wrong = Vec::new();
        for Prefix { text, least, example, .. } in PREFIXES {
            assert!(example.len() >= *least, "{text}");
            let token = format!("{text}{example}");
            let found = find(format!("x: {token} y").as_bytes(), &mut Carried::default(), true);
            let hidden: Vec<_> = found.into_iter().map(|span| (span.kind, span.range)).collect();
            if hidden != [(Kind::Key, 3..3 + token.len())] {
                wrong.push((token.clone(), hidden));
            }
            let short = token.get(..token.len() - example.len() + least - 1).unwrap();
            let found = find(format!("x: {short} y").as_bytes(), &mut Carried::default(), true);
            let is_of_other =
                |other: &&Prefix| text.len() > other.text.len() && text.starts_with(other.text);
            if found.iter().any(|span| span.kind == Kind::Key)
                && !PREFIXES.iter().any(|other| is_of_other(&other))
            {
                wrong.push((short.to_owned(), Vec::new()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn words_behind_a_prefix_are_no_token() {
        for Prefix { text, .. } in PREFIXES {
            let words = format!("{text} and words, {text}.");
            let found = find(words.as_bytes(), &mut Carried::default(), true);
            assert!(found.iter().all(|span| span.kind != Kind::Key), "{words}");
        }
    }
}
