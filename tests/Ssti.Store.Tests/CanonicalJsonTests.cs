using System.Text.Json.Nodes;
using Ssti.Store.Json;

namespace Ssti.Store.Tests;

public sealed class CanonicalJsonTests
{
    // The examples of RFC 8785, section 3.2.2 and appendix B.
    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(1.0, "1")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(-5e-324, "-5e-324")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(9007199254740992, "9007199254740992")]
    [InlineData(295147905179352830000.0, "295147905179352830000")]
    [InlineData(9.999999999999997e22, "9.999999999999997e+22")]
    [InlineData(1e23, "1e+23")]
    [InlineData(1e21, "1e+21")]
    [InlineData(9.999999999999997e-7, "9.999999999999997e-7")]
    [InlineData(0.000001, "0.000001")]
    [InlineData(333333333.33333329, "333333333.3333333")]
    [InlineData(4.50, "4.5")]
    [InlineData(2e-3, "0.002")]
    [InlineData(1e30, "1e+30")]
    [InlineData(-123.456, "-123.456")]
    public void Numbers_are_written_as_ECMAScript_does(double value, string expected) => Assert.Equal(expected, CanonicalJson.Number(value));

    [Theory]
    [InlineData("""{ "b": 1, "a": [ 1.0, 1e2, true, null ], "A": "x" }""", """{"A":"x","a":[1,100,true,null],"b":1}""")]
    [InlineData("""{"\u20ac":"Euro Sign","\r":"Carriage Return","\u000a":"Newline","1":"One","\u0080":"Control\u007f","\ud83d\ude02":"Smiley"}""",
        "{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\u007f\",\"€\":\"Euro Sign\",\"😂\":\"Smiley\"}")]
    [InlineData("""9223372036854775807""", "9223372036854775807")]
    [InlineData("\"\\u001f\\b\\f\\t\\\"\\\\/é\"", "\"\\u001f\\b\\f\\t\\\"\\\\/é\"")]
    public void One_value_has_one_text(string json, string expected) => Assert.Equal(expected, CanonicalJson.Write(JsonNode.Parse(json)));

    [Fact]
    public void There_is_one_zero() => Assert.Equal("0", CanonicalJson.Number(-0.0));

    [Fact]
    public void What_is_no_number_in_JSON_is_refused() => Assert.Throws<ArgumentException>(() => CanonicalJson.Number(double.NaN));
}
